package restore

import (
	"fmt"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
)

// route maps one artifact to one reference of a target.
type route struct {
	name    string     // the full source reference, or the name of the entry
	entry   source.Key // in index.json
	source  string     // the repository that it came from; "" if unknown
	layout  string     // the one on disk that it was selected from; "" for others
	mirror  string     // of its registry, that answered for it in a sync; "" for others
	pinned  bool       // it was asked for by tag and digest
	root    graph.Descriptor
	scope   *graph.Scope
	subject digest.Digest // the manifest that cosign attached it to by its tag; "" for others
	target  config.Target
	path    string      // the repository, without the registry
	tag     string      // "" for one that is restored by digest
	fault   error       // why it cannot be restored
	origin  *graph.Root // to check its signatures; nil without policies
	nowhere bool        // the fault is its name, so it has no destination
}

// manifestKey identifies one manifest or blob in one repository of a target.
type manifestKey struct {
	repository string // with its registry
	digest     digest.Digest
}

// repository returns the repository that the artifact goes to, with its registry.
func (r *route) repository() string {
	if r.path == "" {
		return r.target.Registry
	}
	return r.target.Registry + "/" + r.path
}

// destination returns the full reference that the artifact gets; "" for none.
func (r *route) destination() string {
	switch {
	case r.nowhere:
		return ""
	case r.tag == "":
		return r.repository() + "@" + r.root.Digest.String()
	}
	return r.repository() + ":" + r.tag
}

// reference returns the tag, or else the digest, of the artifact in its repository.
func (r *route) reference() string {
	if r.tag == "" {
		return r.root.Digest.String()
	}
	return r.tag
}

// routeOf maps one root to one target; nil if the mappings exclude it. A root without a
// destination is an error, an *engine.NameError if the target could have named one.
func (m *routes) routeOf(root *graph.Root, target config.Target) (*route, error) {
	e := root.Entry
	platforms, err := graph.ParsePlatforms(e.Platforms)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.Name, err)
	}
	r := &route{name: root.Name(), entry: source.KeyOf(*root), root: graph.Compact(e.Descriptor()),
		scope: graph.ScopeOfAll(!m.excludeReferrers, platforms), target: target, path: target.Namespace, fault: root.Fault,
		layout: root.Layout, mirror: root.Mirror, pinned: root.Ref.Tag != "" && root.Ref.Digest != ""}
	if root.Scope != nil {
		r.scope = root.Scope
	}
	if m.trust {
		r.origin = root
	}
	if r.nowhere = root.Fault != nil && !root.IsSuspect(); r.nowhere {
		return r, nil
	}
	if root.IsSuspect() {
		r.fault = source.Corrupt(root.Fault)
	}
	if root.Ref.Registry == "" {
		return r, m.routeBare(r, root)
	}
	if e.Name == "" {
		r.name = root.Ref.String()
	}
	path, tag, ok, err := m.mapper.Map(root.Ref)
	if err != nil || !ok {
		return nil, err
	}
	r.source, r.path, r.tag = root.Ref.Name(), target.Join(path), tag
	r.subject, _ = root.Entry.AttachedTo()
	return r, r.check()
}

// routeBare maps a root without a known repository to that of the target: under its tag, or by
// its digest if it has none.
func (m *routes) routeBare(r *route, root *graph.Root) error {
	if r.fault != nil {
		return nil
	}
	if r.target.Namespace == "" {
		return &engine.NameError{Entry: r.name, Place: "the target " + r.target.String()}
	}
	r.subject, _ = root.Entry.AttachedTo()
	r.tag = root.Entry.Name
	if r.tag == "" {
		r.tag = m.tag
	}
	return r.check()
}

// check makes sure that registries accept the destination. Its error is a
// *config.MappingError.
func (r *route) check() error {
	err := r.target.CheckRepository(r.path)
	if err == nil && r.tag != "" {
		err = config.CheckTag(r.tag)
	}
	if err == nil {
		return nil
	}
	return &config.MappingError{Reference: r.name, Target: r.destination(), Reason: err.Error()}
}
