package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/registry"
)

// delivery is one artifact on its way to one place.
type delivery struct {
	name   string // the full source reference, or what the layout calls it
	source string // the repository that it came from; "" if unknown
	root   descriptor
	target config.Target
	path   string // repository under the target's registry
	tag    string // "" for one that is restored by digest
	repo   *registry.Repository
	scope  *scope

	visit   *visit
	present bool            // the target has the root
	lacks   map[*visit]bool // what it lacks all the same
	changes bool            // the tag has another digest
	skipped bool            // and stays as it is
	pending int             // uploads that it waits for; guarded by restore.mu
	done    bool            // it is whole in the target
	corrupt error           // the input does not even say what it is
	failure error           // of such an upload; guarded by restore.mu
	err     error
}

// destination is the full reference that the artifact gets.
func (d *delivery) destination() string {
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

// route maps every selected entry to every target. It fails before a byte
// moves where two entries land on one reference.
func (r *restore) route() ([]*delivery, error) {
	if len(r.Targets) == 0 {
		return nil, errNoTarget
	}
	roots, err := r.selected()
	if err != nil {
		return nil, err
	}
	var all []*delivery
	taken := make(map[string]*delivery)
	for _, target := range r.Targets {
		for _, root := range roots {
			d, err := r.deliver(root, target)
			if err != nil {
				return nil, err
			}
			if d == nil {
				continue
			}
			other := taken[d.destination()]
			if other == nil {
				taken[d.destination()] = d
				all = append(all, d)
			} else if other.root.digest != d.root.digest {
				return nil, &CollisionError{Target: d.destination(), Sources: [2]string{other.name, d.name}}
			}
		}
	}
	if r.Again != nil {
		all = slices.DeleteFunc(all, func(d *delivery) bool { return !r.Again(d.name, d.destination()) })
	}
	return all, nil
}

// deliver maps one entry; nil if the mappings exclude it.
func (r *restore) deliver(root root, target config.Target) (*delivery, error) {
	e := root.entry
	platforms, err := parsePlatforms(e.Platforms)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.Name, err)
	}
	d := &delivery{name: e.Name, target: target, root: compact(e.Descriptor()), scope: scopeOfAll(!r.ExcludeReferrers, platforms), corrupt: root.corrupt}
	if root.corrupt != nil && root.ref.Registry == "" {
		d.name, d.path = e.Digest.String(), target.Namespace
		return d, nil
	}
	if root.ref.Registry == "" {
		if d.name == "" {
			d.name = e.Digest.String()
		}
		if target.Namespace == "" {
			return nil, &NameError{Entry: d.name, Target: target.String()}
		}
		d.path, d.tag = target.Namespace, e.Name
		return d, checkName(d)
	}
	path, tag, ok, err := r.Mapper.Map(root.ref)
	if err != nil || !ok {
		return nil, err
	}
	d.source, d.path, d.tag = root.ref.Name(), target.Join(path), tag
	if d.name == "" {
		d.name = root.ref.String()
	}
	return d, checkName(d)
}

// checkName holds what a mapping made against the rules of registries.
func checkName(d *delivery) error {
	if err := config.CheckRepository(d.path); err != nil {
		return fmt.Errorf("%s: maps to %s: %w", d.name, d.destination(), err)
	}
	if d.tag == "" {
		return nil
	}
	if err := config.CheckTag(d.tag); err != nil {
		return fmt.Errorf("%s: maps to %s: %w", d.name, d.destination(), err)
	}
	return nil
}

// selected returns the roots that --only leaves, with what cosign attached to
// them. Nameless ones are left out of a layout whose other entries have full
// names: nothing says where they belong.
func (r *restore) selected() ([]root, error) {
	full := slices.ContainsFunc(r.in.roots, func(r root) bool { return r.ref.Registry != "" })
	used := make([]bool, len(r.Only))
	picked := make([]bool, len(r.in.roots))
	chosen := make(map[placeKey]bool)
	unnamed, repositories := 0, make(map[string]bool)
	for i, root := range r.in.roots {
		if root.corrupt != nil {
			continue
		}
		if root.entry.Name == "" && full {
			unnamed++
			continue
		}
		picked[i] = len(r.Only) == 0
		for k, pattern := range r.Only {
			if matches(pattern, root) {
				picked[i], used[k] = true, true
			}
		}
		if picked[i] {
			chosen[placeKey{root.ref.Name(), root.entry.Digest}] = true
			repositories[root.ref.Name()] = true
		}
	}
	if unnamed > 0 {
		r.Progress.Notice(fmt.Sprintf("%d manifests without a name are left out", unnamed))
	}
	if i := slices.Index(used, false); i >= 0 {
		return nil, &OnlyError{Pattern: r.Only[i]}
	}
	var roots []root
	for i, root := range r.in.roots {
		subject, attached := attachedTo(root.ref)
		if attached && r.ExcludeReferrers {
			continue
		}
		if root.corrupt != nil { // it may belong to anything in its repository
			picked[i] = !r.ExcludeReferrers && (root.ref.Registry == "" || repositories[root.ref.Name()])
		}
		if picked[i] || attached && chosen[placeKey{root.ref.Name(), subject}] {
			roots = append(roots, root)
		}
	}
	return roots, nil
}

// attachedTo tells what cosign attached an artifact to, by its tag.
func attachedTo(ref config.Reference) (digest.Digest, bool) {
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

// matches tells whether a glob names a root: by its full reference, its
// repository, or either without the registry.
func matches(pattern string, r root) bool {
	names := []string{r.entry.Name, r.entry.Digest.String()}
	if r.ref.Registry != "" {
		_, path, _ := strings.Cut(r.entry.Name, "/")
		names = append(names, path, r.ref.Name(), r.ref.Repository)
	}
	return slices.ContainsFunc(names, func(name string) bool {
		ok, err := doublestar.Match(pattern, name)
		return ok && err == nil
	})
}
