package inventory

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// manifest reads the manifest of a node; it is empty for a blob.
func (c *catalog) manifest(n oci.Node) (*oci.Manifest, error) {
	read := c.read
	if n.Role == oci.Child {
		read = c.child
	}
	data, err := read(n.Descriptor)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &engine.CorruptError{Err: fmt.Errorf("%s: %w", n.Digest, err)}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.Digest, err)
	}
	return n.Parse(data)
}

// trail walks an artifact and its referrers.
type trail struct {
	*catalog
	oci.Walker
	sparse   bool                     // children of an index may be absent
	found    func(ocispec.Descriptor) // called with each manifest and blob, once
	subjects []ocispec.Descriptor     // of the manifests walked
}

func (c *catalog) newTrail(sparse bool, found func(ocispec.Descriptor)) *trail {
	t := &trail{catalog: c, sparse: sparse, found: found}
	t.Visit = t.visit
	return t
}

// walkSubjects walks the subjects that are in the layout.
func (t *trail) walkSubjects() error {
	for depth := 1; len(t.subjects) > 0; depth++ {
		some := t.subjects
		t.subjects = nil
		for _, subject := range some {
			if _, err := t.read(subject); errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err := t.Walk(oci.Node{Descriptor: subject, Depth: depth}); err != nil {
				return err
			}
		}
	}
	return nil
}

// visit calls found and returns the nodes below n.
func (t *trail) visit(n oci.Node) ([]oci.Node, error) {
	t.found(n.Descriptor)
	if n.Role == oci.Leaf {
		return nil, nil
	}
	m, err := t.manifest(n)
	if err != nil {
		return nil, err
	}
	if m.Subject != nil {
		t.subjects = append(t.subjects, *m.Subject)
	}
	return slices.DeleteFunc(n.Below(m), t.isLeftOut), nil
}

// isLeftOut reports whether a node is absent without being a fault.
func (t *trail) isLeftOut(n oci.Node) bool {
	if n.Role == oci.Child {
		return t.sparse && t.absent(n.Descriptor)
	}
	return oci.IsElsewhere(n.Descriptor) && t.absent(n.Descriptor)
}

// platform returns the platform of a child of an index, or that in the config of an image.
// Attestations have the platform "unknown/unknown", which counts as none.
func (c *catalog) platform(desc ocispec.Descriptor) string {
	p := desc.Platform
	if p == nil && isConfig(desc) {
		data, err := c.read(desc)
		if err == nil {
			_ = json.Unmarshal(data, &p) // only images have a platform
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
