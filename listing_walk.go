package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// spot is a place on a walk: an entry of index.json, or a child of an index.
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

// platform returns the platform of a child of an index, or the one that the config of an
// image names. An attestation is for "unknown/unknown", which is none.
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
