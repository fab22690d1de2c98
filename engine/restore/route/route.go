// Package route maps the roots of a source to references of the targets. It sends no request.
package route

import (
	"fmt"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/internal/scope"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
)

// Route maps one artifact to one reference of a target.
type Route struct {
	From    *origin.Root       // the artifact in its source
	Name    string             // the full source reference, or the name of the entry
	Root    content.Descriptor // the manifest that goes out
	Scope   *scope.Scope       // the part of it that goes along
	Subject digest.Digest      // the manifest that cosign attached it to by its tag; "" for others
	Target  config.Target
	Path    string // the repository, without the registry
	Tag     string // "" for one that is restored by digest
	Fault   error  // why it cannot be restored
	nowhere bool   // the fault is its name, so it has no destination
}

// Repository returns the repository that the artifact goes to, with its registry.
func (r *Route) Repository() string {
	if r.Path == "" {
		return r.Target.Registry
	}
	return r.Target.Registry + "/" + r.Path
}

// Destination returns the full reference that the artifact gets; "" for none.
func (r *Route) Destination() string {
	switch {
	case r.nowhere:
		return ""
	case r.Tag == "":
		return r.Repository() + "@" + r.Root.Digest.String()
	}
	return r.Repository() + ":" + r.Tag
}

// Reference returns the tag, or else the digest, of the artifact in its repository.
func (r *Route) Reference() string {
	if r.Tag == "" {
		return r.Root.Digest.String()
	}
	return r.Tag
}

// Map maps one root to one target; nil if the mappings exclude it. A root without a
// destination is an error, an *engine.NameError if the target could have named one.
func (m *Routes) Map(root *origin.Root, target config.Target) (*Route, error) {
	e := root.Entry
	platforms, err := scope.ParsePlatforms(e.Platforms)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.Name, err)
	}
	r := &Route{From: root, Name: root.Name(), Root: content.Of(e.Descriptor()),
		Scope: scope.OfAll(!m.excludeReferrers, platforms), Target: target, Path: target.Namespace, Fault: root.Fault}
	if root.Scope != nil {
		r.Scope = root.Scope
	}
	if r.nowhere = root.Fault != nil && !root.IsSuspect(); r.nowhere {
		return r, nil
	}
	if root.IsSuspect() {
		r.Fault = source.Corrupt(root.Fault)
	}
	if root.Ref.Registry == "" {
		return r, m.routeBare(r, root)
	}
	if e.Name == "" {
		r.Name = root.Ref.String()
	}
	path, tag, ok, err := m.mapper.Map(root.Ref)
	if err != nil || !ok {
		return nil, err
	}
	r.Path, r.Tag = target.Join(path), tag
	r.Subject, _ = root.Entry.AttachedTo()
	return r, r.check()
}

// routeBare maps a root without a known repository to that of the target: under its tag, or by
// its digest if it has none.
func (m *Routes) routeBare(r *Route, root *origin.Root) error {
	if r.Fault != nil {
		return nil
	}
	if r.Target.Namespace == "" {
		return &engine.NameError{Entry: r.Name, Place: "the target " + r.Target.String()}
	}
	r.Subject, _ = root.Entry.AttachedTo()
	r.Tag = root.Entry.Name
	if r.Tag == "" {
		r.Tag = m.tag
	}
	return r.check()
}

// check makes sure that registries accept the destination. Its error is a
// *config.MappingError.
func (r *Route) check() error {
	err := r.Target.CheckRepository(r.Path)
	if err == nil && r.Tag != "" {
		err = config.CheckTag(r.Tag)
	}
	if err == nil {
		return nil
	}
	return &config.MappingError{Reference: r.Name, Target: r.Destination(), Reason: err.Error()}
}
