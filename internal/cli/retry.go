package cli

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/filter"
	"github.com/oras-mirror/oras-mirror/engine/plan"
	"github.com/oras-mirror/oras-mirror/engine/shard"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/report"
)

// onlyFailed replaces the selections by those of the artifacts that failed in a report,
// each with its platforms, referrers and digest.
func (c *backupCommand) onlyFailed(b *backupJob) error {
	if info, err := os.Stat(b.output.path); err == nil && info.Mode().IsRegular() {
		return exit.Usage("name a new file or a directory", "%s exists, and --only-failed does not replace an archive", b.output.path)
	}
	report, err := report.Read(c.OnlyFailed, "backup")
	if err != nil {
		return err
	}
	b.only, err = c.sources().pickFailed(&b.selected, c.OnlyFailed, report)
	return err
}

// pickFailed reduces a selection to the artifacts that failed in a report. only selects
// artifacts of layouts on disk.
func (s *sources) pickFailed(all *selected, path string, of *report.Document) (only func(layout, reference string) bool, err error) {
	picker := &picker{from: all.selections, fresh: func() (config.Selection, error) {
		one := []config.Selection{{Referrers: true, Origin: path}}
		all.spec.ApplyDefaults(one)
		s.ReferrerFlags.Apply(one)
		return one[0], s.PlatformFlags.Apply(one)
	}}
	for _, a := range of.Failed() {
		if err := picker.pick(a); err != nil {
			return nil, err
		}
	}
	all.selections = slices.Concat(picker.layouts, picker.picked)
	return picker.only, nil
}

// picker makes selections of the artifacts that failed.
type picker struct {
	from    []config.Selection               // the selections of the command line and the spec
	fresh   func() (config.Selection, error) // makes one for an artifact that they do not select
	layouts []config.Selection               // layouts on disk with artifacts that failed
	wanted  map[string]map[string]bool       // names by layout; "" stands for all of a layout that could not be read
	picked  []config.Selection               // artifacts in registries
}

// only reports whether an artifact of a layout is copied.
func (p *picker) only(layout, reference string) bool {
	return p.wanted[layout][""] || p.wanted[layout][reference]
}

// pick adds the selection of an artifact that failed.
func (p *picker) pick(a report.Artifact) error {
	ref, err := config.ParseReference(a.Reference)
	switch {
	case a.Layout != "":
		return p.pickFromLayout(a, ref)
	case err != nil || ref.IsRepository():
		return p.pickUnlisted(a, ref, err)
	}
	if i := slices.IndexFunc(p.from, func(s config.Selection) bool {
		return s.Layout == "" && !s.Reference.IsRepository() && s.Reference.EntryName() == a.Reference
	}); i >= 0 {
		p.picked = append(p.picked, p.from[i])
		return nil
	}
	if a.Pinned {
		ref.Digest = a.Digest
	}
	return p.pickOne(ref, a.From)
}

// pickFromLayout adds an artifact of a layout on disk. The layout calls it by its full
// name, or by a bare tag that the selection completes.
func (p *picker) pickFromLayout(a report.Artifact, ref config.Reference) error {
	if p.wanted == nil {
		p.wanted = make(map[string]map[string]bool)
	}
	if p.wanted[a.Layout] == nil {
		p.wanted[a.Layout] = make(map[string]bool)
		known := len(p.layouts)
		for _, s := range p.from {
			if s.Layout == a.Layout {
				p.layouts = append(p.layouts, s)
			}
		}
		if len(p.layouts) == known {
			one, err := p.fresh()
			if err != nil {
				return err
			}
			one.Layout, one.Reference = a.Layout, config.Reference{Registry: ref.Registry, Repository: ref.Repository}
			p.layouts = append(p.layouts, one)
		}
	}
	name := a.Reference
	if ref.Registry != "" && ref.IsRepository() {
		name = "" // the layout could not be read
	}
	p.wanted[a.Layout][name] = true
	return nil
}

// pickUnlisted adds a whole repository or registry that could not be listed.
func (p *picker) pickUnlisted(a report.Artifact, ref config.Reference, parseErr error) error {
	known := len(p.picked)
	for _, s := range p.from {
		if s.Layout == "" && (s.Registry != "" && s.Registry == a.Reference ||
			s.Registry == "" && s.Reference.IsRepository() && s.Reference.Name() == a.Reference) {
			p.picked = append(p.picked, s)
		}
	}
	switch {
	case len(p.picked) > known:
		return nil
	case parseErr != nil:
		return exit.Usage("name the spec that selects it with -f", "%s is not selected", a.Reference)
	}
	one, err := p.like(ref)
	one.Reference = ref
	p.picked = append(p.picked, one)
	return err
}

// pickOne adds one artifact, with the settings of the selection of its repository, or of the chart
// that names it.
func (p *picker) pickOne(ref config.Reference, from string) error {
	one, found := p.ofChart(from)
	var err error
	if !found {
		one, err = p.like(ref)
	}
	one.Reference, one.Tags = ref, filter.Tags{}
	p.picked = append(p.picked, one)
	return err
}

// ofChart returns the selection of the chart that an image was found in.
func (p *picker) ofChart(from string) (one config.Selection, found bool) {
	for _, s := range p.from {
		if s.Chart != nil && s.Chart.Images && plan.IsFromChart(from, s) {
			s.Chart, s.Optional, s.From = nil, false, from
			return s, true
		}
	}
	return one, false
}

// like returns the selection that selected a reference, or a new one, cut down to a
// single repository.
func (p *picker) like(ref config.Reference) (config.Selection, error) {
	for _, s := range p.from {
		whole := s.Registry != "" && s.Registry == ref.Registry && s.Repositories.Match(ref.Repository)
		if s.Layout == "" && (whole || s.Registry == "" && s.Reference.Name() == ref.Name()) {
			s.Registry, s.Repositories = "", filter.Repositories{}
			s.ReferrerDigests, s.Locked, s.Subjects = nil, false, nil
			return s, nil
		}
	}
	return p.fresh()
}

// retry selects the artifacts that failed in an earlier restore.
type retry struct{ left map[[2]string]bool } // by source and target; false once the input had it

// onlyFailed reads the artifacts that failed from the report.
func (c *restoreCommand) onlyFailed() (*retry, error) {
	report, err := report.Read(c.OnlyFailed, "restore")
	if err != nil {
		return nil, err
	}
	return retryOf(report), nil
}

// retryOf selects the artifacts that failed in a report.
func retryOf(d *report.Document) *retry {
	r := &retry{left: make(map[[2]string]bool)}
	for _, f := range d.Failed() {
		r.left[[2]string{f.Reference, f.Target}] = true
	}
	return r
}

// keep drops the artifacts of other shards, which a sync does not see.
func (r *retry) keep(s *shard.Shard) {
	maps.DeleteFunc(r.left, func(key [2]string, _ bool) bool {
		ref, err := config.ParseReference(key[0])
		return err == nil && !s.HasSource(ref)
	})
}

// isEmpty reports whether no artifact failed.
func (r *retry) isEmpty() bool { return len(r.left) == 0 }

// filter returns a function that selects artifacts of the input; nil without a report.
func (r *retry) filter() func(reference, target string) bool {
	if r == nil {
		return nil
	}
	return func(reference, target string) bool {
		key := [2]string{reference, target}
		_, wanted := r.left[key]
		if !wanted { // an artifact that was not found is reported without a target
			key[1] = ""
			_, wanted = r.left[key]
		}
		if wanted {
			r.left[key] = false
		}
		return wanted
	}
}

// check reports artifacts of the report that are not in this input, or do not go to
// that target any more.
func (r *retry) check(u *console.Console, report string) error {
	if r == nil {
		return nil
	}
	found := false
	var absent []string
	for key, left := range r.left {
		if found = found || !left; left {
			absent = append(absent, fmt.Sprintf("%s -> %s", key[0], key[1]))
		}
	}
	slices.Sort(absent)
	if !found {
		return exit.Usage("name the input, the spec and the target of that run", "no artifact that failed in %s is restored here, such as %s", report, absent[0])
	}
	for _, text := range absent {
		u.Notice("%s failed in %s and is not restored here", text, report)
	}
	return nil
}
