package restore

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
	"github.com/oras-mirror/oras-mirror/engine/shard"
)

// routes maps roots to references of the targets. It asks nothing but the family of a
// manifest.
type routes struct {
	roots            []graph.Root
	family           func(ocispec.Descriptor) []digest.Digest // a manifest, and those below it
	targets          []config.Target
	mapper           *config.Mapper
	only             []string
	excludeReferrers bool
	tag              string
	retry            func(reference, target string) bool // nil: all
	shard            *shard.Shard                        // nil: all
	notice           func(string)
	trust            bool // routes keep their roots, to check signatures
	far              bool // the source is asked over a network
	part             bool // the roots are some of those that were checked
}

func newRoutes(s source.Source, o engine.RestoreOptions) *routes {
	distant, far := s.(source.Distant)
	return &routes{far: far, part: far && distant.IsPart(), roots: s.Roots(), family: s.Family, targets: o.Targets, mapper: o.Mapper, only: o.Only,
		excludeReferrers: o.ExcludeReferrers, tag: o.Tag, retry: o.Retry, shard: o.Shard, notice: o.Progress.Notice, trust: o.Trust != nil && !far}
}

var errNoTarget = errors.New("no target")

// Check maps all roots of a source to the targets, and returns the errors that a run of all
// of them would return before it copies anything.
func Check(s source.Source, o engine.RestoreOptions) error {
	m := newRoutes(s, o)
	m.part = false
	_, err := m.all()
	return err
}

// all maps every selected root to every target, and returns the routes of the shard. It fails
// before a byte moves where two roots of any shard land on one reference, or one on a reference
// that no registry takes; it reports all of these at once.
func (m *routes) all() ([]*route, error) {
	if len(m.targets) == 0 {
		return nil, errNoTarget
	}
	roots, err := m.selected()
	if !m.part && !m.isDivided() {
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
	if !m.isDivided() {
		all = slices.DeleteFunc(all, func(r *route) bool { return !m.shard.HasTarget(r.target, r.path) })
	}
	if err == nil && !m.far { // a source over a network is up to date
		m.noteOwnSources(all)
	}
	return all, err
}

// isDivided reports whether the source has the roots of one shard only.
func (m *routes) isDivided() bool { return m.far && m.shard != nil }

// mapped maps some roots. Where another one has a repository in its name, a root without
// one fails alone.
func (m *routes) mapped(roots []*graph.Root) ([]*route, error) {
	named := slices.ContainsFunc(roots, func(r *graph.Root) bool { return r.Ref.Registry != "" && r.Fault == nil })
	var all []*route
	var wrong misroutes
	taken := make(map[string]*route)
	for _, target := range m.targets {
		for _, root := range roots {
			r, err := m.routeOf(root, target)
			var bare *engine.NameError
			if errors.As(err, &bare) && named {
				r.fault, r.nowhere, err = err, true, nil
			}
			if r == nil || err != nil {
				wrong.add(err)
				continue
			}
			other := taken[r.destination()]
			if r.fault != nil { // it takes no destination
				all = append(all, r)
			} else if other == nil {
				taken[r.destination()] = r
				all = append(all, r)
			} else if other.root.Digest != r.root.Digest {
				wrong.add(&engine.CollisionError{Target: r.destination(), Sources: [2]string{other.name, r.name}})
			}
		}
	}
	return all, wrong.err()
}

// checkMappings looks for mappings that match no root. One of the run itself is an error:
// the artifacts that it was to move would go elsewhere.
func (m *routes) checkMappings() error {
	var refs []config.Reference
	for _, root := range m.roots {
		if root.Ref.Registry != "" {
			refs = append(refs, root.Ref)
		}
	}
	added, others := m.mapper.Unmatched(refs)
	var errs []error
	for _, source := range added {
		errs = append(errs, &engine.UnmatchedError{Mapping: source})
	}
	if len(others) > 0 {
		m.notice("these mappings of the spec match nothing in the input: " + strings.Join(others, ", "))
	}
	return errors.Join(errs...)
}

// checkTag makes sure that a tag in the target has one artifact to name.
func (m *routes) checkTag(roots []*graph.Root) error {
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
func (m *routes) retried(all []*route) []*route {
	wanted := make(map[manifestKey]bool)
	for _, r := range all {
		if r.subject == "" && m.retry(r.name, r.destination()) {
			for _, digest := range m.family(r.root.OCI()) {
				wanted[manifestKey{r.repository(), digest}] = true
			}
		}
	}
	return slices.DeleteFunc(all, func(r *route) bool {
		if r.subject != "" && wanted[manifestKey{r.repository(), r.subject}] {
			return false
		}
		return !wanted[manifestKey{r.repository(), r.root.Digest}] && !m.retry(r.name, r.destination())
	})
}

// noteOwnSources warns of a restore to the sources of its own input: they may have newer
// content by now.
func (m *routes) noteOwnSources(all []*route) {
	sources := make(map[string]bool)
	for _, root := range m.roots {
		if root.Ref.Registry != "" {
			sources[strings.ToLower(root.Ref.Registry)+"/"+root.Ref.Repository] = true
		}
	}
	var own []string
	for _, r := range all {
		if r.fault != nil {
			continue
		}
		if name := r.repository(); sources[strings.ToLower(r.target.Registry)+"/"+r.path] && !slices.Contains(own, name) {
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
