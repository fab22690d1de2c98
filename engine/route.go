package engine

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/registry"
)

// delivery is one artifact on its way to one place.
type delivery struct {
	name   string // the full source reference, or what the layout calls it
	listed listedKey
	source string // the repository that it came from; "" if unknown
	root   descriptor
	target config.Target
	path   string // repository under the target's registry
	tag    string // "" for one that is restored by digest
	repo   *registry.Repository
	scope  *scope

	visit   *visit
	fresh   bool                   // the registry knows no such repository yet
	answer  *answer                // what the target said of the reference; nil if it was not asked first
	present bool                   // the target has the root
	lacks   map[*visit]bool        // what it lacks all the same
	changes bool                   // the tag has another digest
	was     digest.Digest          // that one
	skipped bool                   // and stays as it is
	subject digest.Digest          // of what cosign keeps under a tag; "" for others
	parent  *delivery              // the artifact of this run that it belongs to, if any
	beside  []*delivery            // those whose parent this is
	refers  []digest.Digest        // referrers that go along, sorted
	old     []digest.Digest        // of indexes of it that were rewritten
	pending int                    // uploads that it waits for; guarded by restore.mu
	again   bool                   // some of it was found missing there, and is pushed once more
	done    bool                   // it is whole in the target
	fault   error                  // why it cannot be restored at all
	nowhere bool                   // that is its name: no place is known for it
	failure error                  // of such an upload; guarded by restore.mu
	spares  map[digest.Digest]bool // layers that need not come
	err     error
}

// destination is the full reference that the artifact gets; "" for none.
func (d *delivery) destination() string {
	if d.nowhere {
		return ""
	}
	name := d.target.Registry
	if d.path != "" {
		name += "/" + d.path
	}
	if d.tag == "" {
		return name + "@" + d.root.digest.String()
	}
	return name + ":" + d.tag
}

func (d *delivery) reference() string {
	if d.tag == "" {
		return d.root.digest.String()
	}
	return d.tag
}

// place is a manifest in the repository that the delivery goes to.
func (d *delivery) place(of digest.Digest) placeKey {
	return placeKey{d.target.Registry + "/" + d.path, of}
}

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
		if _, attached := root.attachedTo(); attached {
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

// mostMisroutes is what somebody may want to read: one mapping that is wrong can be
// so for every tag.
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
	d.subject, _ = root.attachedTo()
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
	d.subject, _ = root.attachedTo()
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
	used := make([]bool, len(r.Only))
	patterns := make([]onlyPattern, len(r.Only))
	for i, text := range r.Only {
		patterns[i] = parseOnly(text)
	}
	picked := make([]bool, len(r.in.roots))
	chosen := make(map[placeKey]bool)
	repositories := make(map[string]bool)
	for i, root := range r.in.roots {
		if root.isSuspect() {
			continue
		}
		picked[i] = len(r.Only) == 0
		for k, pattern := range patterns {
			if pattern.matches(root) {
				picked[i], used[k] = true, true
			}
		}
		if picked[i] {
			repositories[root.ref.Name()] = true
		}
		if picked[i] && len(r.Only) > 0 {
			for _, digest := range r.in.family(root.entry.Descriptor()) {
				chosen[placeKey{root.ref.Name(), digest}] = true
			}
		}
	}
	if i := slices.Index(used, false); i >= 0 {
		return nil, &OnlyError{Pattern: r.Only[i]}
	}
	var roots []root
	for i, root := range r.in.roots {
		subject, attached := root.attachedTo()
		if attached && r.ExcludeReferrers {
			continue
		}
		if root.isSuspect() { // it may belong to anything in its repository
			picked[i] = !r.ExcludeReferrers && (root.ref.Registry == "" || repositories[root.ref.Name()])
		}
		if picked[i] || attached && chosen[placeKey{root.ref.Name(), subject}] {
			roots = append(roots, root)
		}
	}
	return roots, nil
}

// AttachedTo tells what cosign attached an artifact to, by its tag.
func AttachedTo(ref config.Reference) (digest.Digest, bool) {
	for _, kind := range cosignKinds {
		name, ok := strings.CutSuffix(ref.Tag, kind)
		algorithm, encoded, cut := strings.Cut(name, "-")
		d := digest.NewDigestFromEncoded(digest.Algorithm(algorithm), encoded)
		if ok && cut && d.Validate() == nil {
			return d, true
		}
	}
	return "", false
}
