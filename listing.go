package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// listing is what "list --format json" prints: every artifact of a layout, in
// the order of its index.json.
type listing struct {
	Artifacts []listed `json:"artifacts"`
	Missing   []string `json:"missing,omitempty"` // what the backup could not get

	input  string
	faults []error // what is wrong with the index alone
}

// listed is one artifact. Size is that of its graph in bytes, without referrers.
type listed struct {
	Reference    string           `json:"reference,omitempty"`
	Digest       digest.Digest    `json:"digest"`
	MediaType    string           `json:"mediaType"`
	ArtifactType string           `json:"artifactType,omitempty"`
	Size         int64            `json:"size"`
	Platforms    []string         `json:"platforms,omitempty"`
	Sparse       bool             `json:"sparse,omitempty"` // an index without all of its platforms, on purpose
	Referrers    []listedReferrer `json:"referrers,omitempty"`
}

// listedReferrer is a signature, an SBOM or the like. It has a reference if cosign
// keeps it under a tag.
type listedReferrer struct {
	Reference    string        `json:"reference,omitempty"`
	Digest       digest.Digest `json:"digest"`
	MediaType    string        `json:"mediaType"`
	ArtifactType string        `json:"artifactType,omitempty"`
	Subject      digest.Digest `json:"subject"`
}

// catalog reads what a listing needs to know.
type catalog struct {
	read      func(ocispec.Descriptor) ([]byte, error) // a manifest or a config
	child     func(ocispec.Descriptor) ([]byte, error) // what an index names; nil where that is a blob
	absent    func(ocispec.Descriptor) bool            // it is a child that is not there
	referrers map[digest.Digest][]store.Entry          // by their subject
	attached  map[string][]store.Entry                 // by REPOSITORY@DIGEST of theirs
	roots     map[string]bool                          // REPOSITORY@DIGEST of what has a name
	lists     map[string]bool                          // names of lists of referrers, which are no artifacts
	nested    map[digest.Digest]bool                   // manifests of an index that has a name
	types     map[digest.Digest]string                 // media types of the entries' manifests
}

// listInput lists a layout. Of a stream it takes in the whole, since the last
// index.json may be at its end.
func listInput(ctx context.Context, in store.Input) (*listing, error) {
	c := &catalog{referrers: make(map[digest.Digest][]store.Entry), attached: make(map[string][]store.Entry),
		roots: make(map[string]bool), lists: make(map[string]bool), nested: make(map[digest.Digest]bool), types: make(map[digest.Digest]string)}
	switch in := in.(type) {
	case *store.Stream:
		configs, err := passing(ctx, in)
		if err != nil {
			return nil, err
		}
		c.read = func(desc ocispec.Descriptor) ([]byte, error) {
			if data, ok := configs[desc.Digest]; ok {
				return data, nil
			}
			return in.Manifest(desc.Digest)
		}
		c.child, c.absent = childOf(in), absentFrom(in)
	case store.Layout:
		c.read = func(desc ocispec.Descriptor) ([]byte, error) { return store.ReadManifest(in, desc) }
		c.child = func(desc ocispec.Descriptor) ([]byte, error) { return store.ReadChild(in, desc) }
		c.absent = func(desc ocispec.Descriptor) bool {
			_, err := in.Stat(desc.Digest)
			return errors.Is(err, fs.ErrNotExist)
		}
	}
	return c.list(in.Index())
}

func (c *catalog) list(index *store.Index) (*listing, error) {
	if err := c.sort(index.Entries); err != nil {
		return nil, err
	}
	l := &listing{Artifacts: []listed{}, Missing: engine.Missing(index)}
	for _, e := range index.Entries {
		if err := e.CheckName(func() ([]byte, error) { return c.read(e.Descriptor()) }); err != nil {
			l.faults = append(l.faults, err)
		}
		if e.Name == "" && (c.nested[e.Digest] || c.isReferrer(e)) || c.lists[e.Name] || c.isAttached(e) {
			continue
		}
		a, err := c.artifact(e)
		if err != nil {
			return nil, err
		}
		l.Artifacts = append(l.Artifacts, a)
	}
	return l, nil
}

// sort finds out which entries are referrers or lists of them, and of what.
func (c *catalog) sort(entries []store.Entry) error {
	for _, e := range entries {
		m, err := c.manifest(spot{desc: e.Descriptor()})
		if err != nil {
			return err
		}
		c.types[e.Digest] = m.MediaType
		if e.Name == "" && m.Subject != nil {
			c.refers(e, m.Subject.Digest)
		}
		members, isList := store.ReferrersList(e, c.read)
		for _, member := range members {
			c.refers(listedIn(e, member), member.Subject)
		}
		c.lists[e.Name] = isList
		for _, child := range m.Manifests {
			c.nested[child.Digest] = true
		}
		c.roots[repositoryOf(e)+"@"+e.Digest.String()] = true
		if key, _, ok := attachedKey(e); ok {
			c.attached[key] = append(c.attached[key], e)
		}
	}
	return nil
}

// refers notes a referrer, which may stand in a list and beside it.
func (c *catalog) refers(e store.Entry, subject digest.Digest) {
	if !slices.ContainsFunc(c.referrers[subject], func(other store.Entry) bool { return other.Digest == e.Digest }) {
		c.referrers[subject] = append(c.referrers[subject], e)
	}
}

// listedIn is a referrer as an entry of its own would have it, beside the list that
// names it.
func listedIn(list store.Entry, m store.ListedReferrer) store.Entry {
	e := store.Entry{MediaType: m.MediaType, ArtifactType: m.ArtifactType, Digest: m.Digest, Size: m.Size}
	if repository := repositoryOf(list); repository != "" {
		e.Repositories = []string{repository}
	}
	return e
}

// repositoryOf returns REGISTRY/REPOSITORY of an entry, "" where its name has none.
func repositoryOf(e store.Entry) string {
	ref, err := config.ParseReference(e.Name)
	if err != nil {
		return ""
	}
	return ref.Name()
}

// attachedKey tells what cosign attached an entry to.
func attachedKey(e store.Entry) (key string, subject digest.Digest, ok bool) {
	ref, err := config.ParseReference(e.Name)
	if err != nil { // a bare tag, if anything
		ref = config.Reference{Tag: e.Name}
	}
	subject, ok = engine.AttachedTo(ref)
	return ref.Name() + "@" + subject.String(), subject, ok
}

// isAttached tells what cosign keeps under a tag from an artifact of its own: what
// it belongs to is there.
func (c *catalog) isAttached(e store.Entry) bool {
	key, subject, ok := attachedKey(e)
	return ok && (c.roots[key] || c.nested[subject])
}

func (c *catalog) isReferrer(e store.Entry) bool {
	m, err := c.manifest(spot{desc: e.Descriptor()})
	return err == nil && m.Subject != nil
}

// spot is what a walk comes to: what index.json lists, or what an index names.
type spot struct {
	desc  ocispec.Descriptor
	child bool
}

// manifest reads what is there; that of a blob points at nothing.
func (c *catalog) manifest(at spot) (*store.Manifest, error) {
	read, parse := c.read, store.ParseManifest
	if at.child {
		read, parse = c.child, store.ParseChild
	}
	data, err := read(at.desc)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at.desc.Digest, err)
	}
	return parse(at.desc, data)
}

// artifact walks the graph of an entry.
func (c *catalog) artifact(e store.Entry) (listed, error) {
	a := listed{Reference: e.Name, Digest: e.Digest, MediaType: c.types[e.Digest], ArtifactType: e.ArtifactType, Sparse: e.Platforms != ""}
	referring := referring{catalog: c, repository: repositoryOf(e), seen: make(map[digest.Digest]bool)}
	var inside []string // what configs say, for an index that says nothing
	t := newTrail(a.Sparse)
	t.found = func(desc ocispec.Descriptor) {
		a.Size = bounds.Sum(a.Size, desc.Size)
		names := &a.Platforms
		if desc.Platform == nil {
			names = &inside
		}
		if name := c.platform(desc); name != "" && !slices.Contains(*names, name) {
			*names = append(*names, name)
		}
		referring.to(desc)
	}
	if err := c.walk(spot{desc: e.Descriptor()}, t, 0); err != nil {
		return a, err
	}
	if len(a.Platforms) == 0 {
		a.Platforms = inside
	}
	if err := referring.follow(a.Sparse); err != nil {
		return a, err
	}
	a.Referrers = referring.listed()
	if e.Name == "" {
		return a, nil
	}
	t.found = func(desc ocispec.Descriptor) { a.Size = bounds.Sum(a.Size, desc.Size) }
	return a, c.walkSubjects(t)
}

// trail is the way through one artifact.
type trail struct {
	sparse   bool // below an index there is what is there
	seen     map[digest.Digest]bool
	found    func(ocispec.Descriptor) // hears of each manifest and blob, once
	subjects []ocispec.Descriptor     // what was referred to on the way
}

func newTrail(sparse bool) *trail {
	return &trail{sparse: sparse, seen: make(map[digest.Digest]bool), found: func(ocispec.Descriptor) {}}
}

// walkSubjects goes on with what was referred to, as far as that is there.
func (c *catalog) walkSubjects(t *trail) error {
	for depth := 1; len(t.subjects) > 0; depth++ {
		some := t.subjects
		t.subjects = nil
		for _, subject := range some {
			if _, err := c.read(subject); errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err := c.walk(spot{desc: subject}, t, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// walk finds what is at a spot and everything below it.
func (c *catalog) walk(at spot, t *trail, depth int) error {
	if t.seen[at.desc.Digest] {
		return nil
	}
	t.seen[at.desc.Digest] = true
	t.found(at.desc)
	m, err := c.manifest(at)
	switch {
	case err != nil:
		return err
	case depth > bounds.Depth:
		return fmt.Errorf("%s: %w", at.desc.Digest, bounds.TooDeep)
	case len(m.Manifests) > bounds.Manifests:
		return fmt.Errorf("%s: %w", at.desc.Digest, bounds.TooBroad)
	}
	if m.Subject != nil {
		t.subjects = append(t.subjects, *m.Subject)
	}
	for _, leaf := range m.Leaves() {
		if !t.seen[leaf.Digest] && !(store.IsElsewhere(leaf) && c.absent(leaf)) {
			t.seen[leaf.Digest] = true
			t.found(leaf)
		}
	}
	for _, child := range m.Manifests {
		if t.sparse && c.absent(child) {
			continue
		}
		if err := c.walk(spot{child, true}, t, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// platform is what a child of an index is for, or what the config of an image
// says. An attestation is for "unknown/unknown", which is none.
func (c *catalog) platform(desc ocispec.Descriptor) string {
	p := desc.Platform
	if p == nil && isConfig(desc) {
		data, err := c.read(desc)
		if err == nil {
			_ = json.Unmarshal(data, &p) // what is no image has no platform
		}
	}
	if p == nil || p.OS == "" || p.OS == "unknown" {
		return ""
	}
	name := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		name += "/" + p.Variant
	}
	return name
}

func isConfig(desc ocispec.Descriptor) bool {
	return desc.MediaType == ocispec.MediaTypeImageConfig || desc.MediaType == "application/vnd.docker.container.image.v1+json"
}

// childOf takes what a stream has not brought among its manifests for a blob.
func childOf(s *store.Stream) func(ocispec.Descriptor) ([]byte, error) {
	return func(desc ocispec.Descriptor) ([]byte, error) {
		data, err := s.Manifest(desc.Digest)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return data, err
	}
}

func absentFrom(s *store.Stream) func(ocispec.Descriptor) bool {
	return func(desc ocispec.Descriptor) bool {
		_, err := s.Manifest(desc.Digest)
		return store.IsManifest(desc.MediaType) && errors.Is(err, fs.ErrNotExist)
	}
}

// maxConfig is far more than the config of an image has.
const maxConfig = 1 << 20

// passing reads a stream to its end and keeps the configs that it comes by.
func passing(ctx context.Context, s *store.Stream) (map[digest.Digest][]byte, error) {
	wanted := make(map[digest.Digest]bool)
	walker := &catalog{child: childOf(s), absent: absentFrom(s)}
	walker.read = func(desc ocispec.Descriptor) ([]byte, error) { return s.Manifest(desc.Digest) }
	for _, e := range s.Index().Entries {
		t := newTrail(e.Platforms != "")
		t.found = func(desc ocispec.Descriptor) { wanted[desc.Digest] = wanted[desc.Digest] || isConfig(desc) }
		if err := walker.walk(spot{desc: e.Descriptor()}, t, 0); err != nil {
			return nil, err
		}
	}
	configs := make(map[digest.Digest][]byte)
	for ctx.Err() == nil {
		d, size, err := s.Next()
		if errors.Is(err, io.EOF) {
			return configs, s.Complete()
		}
		if err != nil {
			return nil, err
		}
		if !wanted[d] || size > maxConfig {
			continue
		}
		if configs[d], err = io.ReadAll(s); err != nil {
			return nil, err
		}
	}
	return nil, context.Cause(ctx)
}
