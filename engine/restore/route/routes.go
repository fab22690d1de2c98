package route

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
	"github.com/oras-mirror/oras-mirror/engine/shard"
)

// Routes maps roots to references of the targets. It asks nothing but the family of a
// manifest.
type Routes struct {
	roots            []origin.Root
	family           func(ocispec.Descriptor) []digest.Digest // a manifest, and those below it
	targets          []config.Target
	mapper           *config.Mapper
	only             []string
	excludeReferrers bool
	tag              string
	retry            func(reference, target string) bool // nil: all
	shard            *shard.Shard                        // nil: all
	notice           func(string)
	far              bool // the source is asked over a network
	part             bool // the roots are some of those that were checked
}

// New makes the routes of a source.
func New(s source.Source, o engine.RestoreOptions) *Routes {
	distant, far := s.(source.Distant)
	return &Routes{far: far, part: far && distant.IsPart(), roots: s.Roots(), family: s.Family, targets: o.Targets, mapper: o.Mapper, only: o.Only,
		excludeReferrers: o.ExcludeReferrers, tag: o.Tag, retry: o.Retry, shard: o.Shard, notice: o.Progress.Notice}
}

var errNoTarget = errors.New("no target")

// Check maps all roots of a source to the targets, and returns the errors that a run of all
// of them would return before it copies anything.
func Check(s source.Source, o engine.RestoreOptions) error {
	m := New(s, o)
	m.part = false
	_, err := m.All()
	return err
}

// All maps every selected root to every target, and returns the routes of the shard. It fails
// before a byte moves where two roots of any shard land on one reference, or one on a reference
// that no registry takes; it reports all of these at once.
func (m *Routes) All() ([]*Route, error) {
	if len(m.targets) == 0 {
		return nil, errNoTarget
	}
	roots, err := m.selected()
	if !m.part && !m.IsDivided() {
		err = errors.Join(err, m.checkMappings())
	}
	if err != nil {
		return nil, err
	}
	if err := m.checkTag(roots); err != nil {
		return nil, err
	}
	all, err := m.mapped(roots)
	if m.retry != nil {
		all = m.retried(all)
	}
	if !m.IsDivided() {
		all = slices.DeleteFunc(all, func(r *Route) bool { return !m.shard.HasTarget(r.Target, r.Path) })
	}
	if err == nil && !m.far { // a source over a network is up to date
		m.noteOwnSources(all)
	}
	return all, err
}

// IsDivided reports whether the source has the roots of one shard only.
func (m *Routes) IsDivided() bool { return m.far && m.shard != nil }

// mapped maps some roots. Where another one has a repository in its name, a root without
// one fails alone.
func (m *Routes) mapped(roots []*origin.Root) ([]*Route, error) {
	named := slices.ContainsFunc(roots, func(r *origin.Root) bool { return r.Ref.Registry != "" && r.Fault == nil })
	var all []*Route
	var wrong misroutes
	var same []string
	taken := make(map[string]*Route)
	for _, target := range m.targets {
		for _, root := range roots {
			r, err := m.Map(root, target)
			var bare *engine.NameError
			if errors.As(err, &bare) && named {
				r.Fault, r.nowhere, err = err, true, nil
			}
			if r == nil || err != nil {
				wrong.add(err)
				continue
			}
			other := taken[r.Destination()]
			if r.Fault != nil { // it takes no destination
				all = append(all, r)
			} else if other == nil {
				taken[r.Destination()] = r
				all = append(all, r)
			} else if other.Root.Digest != r.Root.Digest {
				wrong.add(&engine.CollisionError{Target: r.Destination(), Sources: [2]string{other.Name, r.Name}})
			} else if r.Subject == "" && other.Name != r.Name {
				same = append(same, fmt.Sprintf("%s has the digest of %s and goes to the same reference, %s", r.Name, other.Name, r.Destination()))
			}
		}
	}
	m.noteSame(same)
	return all, wrong.err()
}

// noteSame notes the routes that are left out because another one does the same.
func (m *Routes) noteSame(same []string) {
	switch more := len(same) - 1; {
	case more == 0:
		m.notice(same[0] + ": it counts once")
	case more > 0:
		m.notice(fmt.Sprintf("%s: it counts once, and so do %d more", same[0], more))
	}
}

// checkMappings looks for mappings that match no root. One of the run itself is an error:
// the artifacts that it was to move would go elsewhere.
func (m *Routes) checkMappings() error {
	var refs []config.Reference
	for _, root := range m.roots {
		if root.Ref.Registry != "" {
			refs = append(refs, root.Ref)
		}
	}
	added, others := m.mapper.Unmatched(refs)
	var errs []error
	for _, mapping := range added {
		errs = append(errs, &engine.UnmatchedError{Mapping: mapping})
	}
	if len(others) > 0 {
		m.notice("these mappings of the spec match nothing in the input: " + strings.Join(others, ", "))
	}
	return errors.Join(errs...)
}

// checkTag makes sure that a tag in the target has one artifact to name.
func (m *Routes) checkTag(roots []*origin.Root) error {
	if m.tag == "" {
		return nil
	}
	artifacts, nameless := 0, 0
	for _, root := range roots {
		if _, attached := root.Entry.AttachedTo(); attached {
			continue
		}
		artifacts++
		if root.Entry.Name == "" && root.Ref.Registry == "" {
			nameless++
		}
	}
	if artifacts == 1 && nameless == 1 {
		return nil
	}
	return &engine.RetagError{Target: m.targets[0].String() + ":" + m.tag, Artifacts: artifacts}
}

// retried returns the routes that retry selects, with those that cosign attached to them.
func (m *Routes) retried(all []*Route) []*Route {
	wanted := make(map[memberKey]bool)
	for _, r := range all {
		if r.Subject == "" && m.retry(r.Name, r.Destination()) {
			for _, digest := range m.family(r.Root.OCI()) {
				wanted[memberKey{r.Repository(), digest}] = true
			}
		}
	}
	return slices.DeleteFunc(all, func(r *Route) bool {
		if r.Subject != "" && wanted[memberKey{r.Repository(), r.Subject}] {
			return false
		}
		return !wanted[memberKey{r.Repository(), r.Root.Digest}] && !m.retry(r.Name, r.Destination())
	})
}

// noteOwnSources warns of a restore to the sources of its own input: they may have newer
// content by now.
func (m *Routes) noteOwnSources(all []*Route) {
	sources := make(map[string]bool)
	for _, root := range m.roots {
		if root.Ref.Registry != "" {
			sources[strings.ToLower(root.Ref.Registry)+"/"+root.Ref.Repository] = true
		}
	}
	var own []string
	for _, r := range all {
		if r.Fault != nil {
			continue
		}
		if name := r.Repository(); sources[strings.ToLower(r.Target.Registry)+"/"+r.Path] && !slices.Contains(own, name) {
			own = append(own, name)
		}
	}
	if len(own) == 0 {
		return
	}
	const most = 5
	text := strings.Join(own[:min(most, len(own))], ", ")
	if more := len(own) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	m.notice("restoring to sources of the input itself: " + text)
}

// misroutes gathers the errors of the routes of a restore.
type misroutes struct {
	errs []error
	more int
}

// maxMisroutes bounds the errors of one run: a wrong mapping can be wrong for every tag.
const maxMisroutes = 50

func (m *misroutes) add(err error) {
	switch {
	case err == nil:
	case len(m.errs) < maxMisroutes:
		m.errs = append(m.errs, err)
	default:
		m.more++
	}
}

func (m *misroutes) err() error {
	if m.more > 0 {
		m.errs = append(m.errs, fmt.Errorf("%d more cannot be mapped to a target", m.more))
	}
	return errors.Join(m.errs...)
}
