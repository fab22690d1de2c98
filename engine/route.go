package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
)

// route maps every selected entry to every target. It fails before a byte
// moves where two entries land on one reference, or one on none that the target
// would take; all of that is said at once.
func (r *restore) route() ([]*delivery, error) {
	if len(r.Targets) == 0 {
		return nil, errNoTarget
	}
	roots, err := r.selected()
	if err = errors.Join(err, r.checkMappings()); err != nil {
		return nil, err
	}
	if err := r.checkTag(roots); err != nil {
		return nil, err
	}
	placed := slices.ContainsFunc(roots, func(r root) bool { return r.ref.Registry != "" && r.fault == nil })
	var all []*delivery
	var wrong misroutes
	taken := make(map[string]*delivery)
	for _, target := range r.Targets {
		for _, root := range roots {
			d, err := r.deliver(root, target)
			var bare *NameError
			if errors.As(err, &bare) && placed { // it costs no other artifact
				d.fault, d.nowhere, err = err, true, nil
			}
			if d == nil || err != nil {
				wrong.add(err)
				continue
			}
			other := taken[d.destination()]
			if d.fault != nil { // it takes no place
				all = append(all, d)
			} else if other == nil {
				taken[d.destination()] = d
				all = append(all, d)
			} else if other.root.digest != d.root.digest {
				wrong.add(&CollisionError{Target: d.destination(), Sources: [2]string{other.name, d.name}})
			}
		}
	}
	if r.Again != nil {
		all = r.again(all)
	}
	if err := wrong.err(); err != nil {
		return all, err
	}
	r.noteOwnSources(all)
	return all, nil
}

// checkMappings looks for mappings that match nothing in the input. One of the run
// itself is an error: what it was to move would go elsewhere.
func (r *restore) checkMappings() error {
	var refs []config.Reference
	for _, root := range r.in.roots {
		if root.ref.Registry != "" {
			refs = append(refs, root.ref)
		}
	}
	added, others := r.Mapper.Unmatched(refs)
	var errs []error
	for _, source := range added {
		errs = append(errs, &UnmatchedError{Mapping: source})
	}
	if len(others) > 0 {
		r.Progress.Notice("nothing in the input matches these mappings of the spec: " + strings.Join(others, ", "))
	}
	return errors.Join(errs...)
}

// checkTag makes sure that a tag in the target has one artifact to name.
func (r *restore) checkTag(roots []root) error {
	if r.Tag == "" {
		return nil
	}
	artifacts, nameless := 0, 0
	for _, root := range roots {
		if _, attached := root.entry.AttachedTo(); attached {
			continue
		}
		artifacts++
		if root.entry.Name == "" && root.ref.Registry == "" {
			nameless++
		}
	}
	if artifacts == 1 && nameless == 1 {
		return nil
	}
	return &RetagError{Target: r.Targets[0].String() + ":" + r.Tag, Artifacts: artifacts}
}

// again leaves what Again wants, with what cosign attached to it.
func (r *restore) again(all []*delivery) []*delivery {
	wanted := make(map[placeKey]bool)
	for _, d := range all {
		if d.subject == "" && r.Again(d.name, d.destination()) {
			for _, digest := range r.in.family(d.root.oci()) {
				wanted[d.place(digest)] = true
			}
		}
	}
	return slices.DeleteFunc(all, func(d *delivery) bool {
		if d.subject != "" && wanted[d.place(d.subject)] {
			return false
		}
		return !wanted[d.place(d.root.digest)] && !r.Again(d.name, d.destination())
	})
}

// misroutes gathers what is wrong with the routes of a restore.
type misroutes struct {
	errs []error
	more int
}

// mostMisroutes bounds the errors of one run: a mapping that is wrong can be so for
// every tag.
const mostMisroutes = 50

func (m *misroutes) add(err error) {
	switch {
	case err == nil:
	case len(m.errs) < mostMisroutes:
		m.errs = append(m.errs, err)
	default:
		m.more++
	}
}

func (m *misroutes) err() error {
	if m.more > 0 {
		m.errs = append(m.errs, fmt.Errorf("%d more have no place in their target", m.more))
	}
	return errors.Join(m.errs...)
}

// deliver maps one entry; nil if the mappings exclude it. What has no place is an
// error, a *NameError where the target could have named one.
func (r *restore) deliver(root root, target config.Target) (*delivery, error) {
	e := root.entry
	platforms, err := parsePlatforms(e.Platforms)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.Name, err)
	}
	d := &delivery{name: root.name(), target: target, path: target.Namespace, root: compact(e.Descriptor()), listed: listedKey{e.Name, e.Digest},
		scope: scopeOfAll(!r.ExcludeReferrers, platforms), fault: root.fault}
	if d.nowhere = root.fault != nil && !root.isSuspect(); d.nowhere {
		return d, nil
	}
	if root.isSuspect() {
		d.fault = corrupt(root.fault)
	}
	if root.ref.Registry == "" {
		return d, r.deliverBare(d, root)
	}
	if e.Name == "" {
		d.name = root.ref.String()
	}
	path, tag, ok, err := r.Mapper.Map(root.ref)
	if err != nil || !ok {
		return nil, err
	}
	d.source, d.path, d.tag = root.ref.Name(), target.Join(path), tag
	d.subject, _ = root.entry.AttachedTo()
	return d, checkName(d)
}

// deliverBare puts what no repository is known of into that of the target: under its
// tag, by its digest where it has none.
func (r *restore) deliverBare(d *delivery, root root) error {
	if d.fault != nil {
		return nil
	}
	if d.target.Namespace == "" {
		return &NameError{Entry: d.name, Place: "the target " + d.target.String()}
	}
	d.subject, _ = root.entry.AttachedTo()
	d.tag = root.entry.Name
	if d.tag == "" {
		d.tag = r.Tag
	}
	return checkName(d)
}

// checkName holds what a mapping made, below the target's namespace, against the
// rules of registries. Its error is a *config.MappingError.
func checkName(d *delivery) error {
	err := d.target.CheckRepository(d.path)
	if err == nil && d.tag != "" {
		err = config.CheckTag(d.tag)
	}
	if err == nil {
		return nil
	}
	return &config.MappingError{Reference: d.name, Target: d.destination(), Reason: err.Error()}
}

// selected returns the roots that --only leaves, with what cosign attached to them.
func (r *restore) selected() ([]root, error) {
	named, err := r.named()
	if err != nil {
		return nil, err
	}
	chosen := make(map[placeKey]bool)
	repositories := make(map[string]bool)
	for i, root := range r.in.roots {
		if !named[i] {
			continue
		}
		repositories[root.ref.Name()] = true
		if len(r.Only) > 0 {
			for _, digest := range r.in.family(root.entry.Descriptor()) {
				chosen[placeKey{root.ref.Name(), digest}] = true
			}
		}
	}
	var roots []root
	for i, root := range r.in.roots {
		subject, attached := root.entry.AttachedTo()
		if attached && r.ExcludeReferrers {
			continue
		}
		picked := named[i] || attached && chosen[placeKey{root.ref.Name(), subject}]
		if root.isSuspect() { // it may belong to anything in its repository
			picked = picked || !r.ExcludeReferrers && (root.ref.Registry == "" || repositories[root.ref.Name()])
		}
		if picked {
			roots = append(roots, root)
		}
	}
	return roots, nil
}

// named tells of each root whether --only names it; without --only all are named. A
// suspect root has no name. A pattern that names none is an *OnlyError.
func (r *restore) named() ([]bool, error) {
	named := make([]bool, len(r.in.roots))
	used := make([]bool, len(r.Only))
	patterns := make([]onlyPattern, len(r.Only))
	for i, text := range r.Only {
		patterns[i] = parseOnly(text)
	}
	for i, root := range r.in.roots {
		if root.isSuspect() {
			continue
		}
		named[i] = len(r.Only) == 0
		for k, pattern := range patterns {
			if pattern.matches(root) {
				named[i], used[k] = true, true
			}
		}
	}
	if i := slices.Index(used, false); i >= 0 {
		return nil, &OnlyError{Pattern: r.Only[i]}
	}
	return named, nil
}
