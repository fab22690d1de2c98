package graph

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/internal/scope"
)

// Shrinker rewrites indexes so that they name only the children that are there.
type Shrinker struct {
	bytes func(*Visit) ([]byte, error)
	made  map[*Visit]*Visit
	Lost  int // referrers of those that were rewritten
}

// NewShrinker returns a Shrinker that reads manifests by bytes.
func NewShrinker(bytes func(*Visit) ([]byte, error)) *Shrinker {
	return &Shrinker{bytes: bytes, made: make(map[*Visit]*Visit)}
}

// Shrink returns v, or a copy of it without the children that are left out, made
// once for all that name it.
func (s *Shrinker) Shrink(v *Visit) (*Visit, error) {
	if shrunk := s.made[v]; shrunk != nil {
		return shrunk, nil
	}
	if !v.IsSparse() {
		s.made[v] = v
		return v, nil
	}
	children := make([]*Visit, len(v.children))
	byOld := make(map[digest.Digest]content.Descriptor)
	for _, leaf := range v.Leaves {
		byOld[leaf.Digest] = leaf.Descriptor
	}
	for i, child := range v.children {
		var err error
		if children[i], err = s.Shrink(child); err != nil {
			return nil, err
		}
		byOld[child.Node.Digest] = children[i].Node.Descriptor
	}
	data, err := s.bytes(v)
	if err != nil {
		return nil, err
	}
	if data, err = withChildren(data, byOld); err != nil {
		return nil, err
	}
	n := *v.Node
	n.Data, n.Digest, n.Size = data, digest.FromBytes(data), int64(len(data))
	s.Lost += len(v.Referrers)
	s.made[v] = &Visit{Origin: v.Origin, Node: &n, children: children, subject: v.subject, Leaves: v.Leaves}
	return s.made[v], nil
}

// Rewritten returns the digest that a root gets in a target that rewrites indexes that are
// cut down to some platforms: its own if it is complete.
func (g *Graph) Rewritten(ctx context.Context, o origin.Origin, platforms []config.Platform, desc ocispec.Descriptor) (digest.Digest, error) {
	if len(platforms) == 0 {
		return desc.Digest, nil
	}
	v, err := g.Walk(ctx, o, scope.OfAll(false, platforms), desc, nil)
	if err != nil {
		return "", err
	}
	bytes := func(v *Visit) ([]byte, error) {
		if v.Node.Data != nil {
			return v.Node.Data, nil
		}
		return o.Manifest(ctx, v.Node.OCI())
	}
	if v, err = NewShrinker(bytes).Shrink(v); err != nil {
		return "", err
	}
	return v.Node.Digest, nil
}

// withChildren rewrites the list of an index. Everything else stays as it is.
func withChildren(data []byte, kept map[digest.Digest]content.Descriptor) ([]byte, error) {
	var index map[string]json.RawMessage
	if err := json.Unmarshal(data, &index); err != nil {
		return nil, err
	}
	var children []map[string]json.RawMessage
	if err := json.Unmarshal(index["manifests"], &children); err != nil {
		return nil, err
	}
	left := make([]map[string]json.RawMessage, 0, len(kept))
	for _, child := range children {
		var old digest.Digest
		if err := json.Unmarshal(child["digest"], &old); err != nil {
			return nil, err
		}
		d, ok := kept[old]
		if !ok {
			continue
		}
		child["digest"] = json.RawMessage(fmt.Sprintf("%q", d.Digest))
		child["size"] = json.RawMessage(fmt.Sprint(d.Size))
		left = append(left, child)
	}
	var err error
	if index["manifests"], err = json.Marshal(left); err != nil {
		return nil, err
	}
	return json.Marshal(index)
}
