package engine

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
)

// shrinker makes indexes that name only what is there.
type shrinker struct {
	bytes func(*visit) ([]byte, error)
	made  map[*visit]*visit
	lost  int // referrers of those that were rewritten
}

func newShrinker(bytes func(*visit) ([]byte, error)) *shrinker {
	return &shrinker{bytes: bytes, made: make(map[*visit]*visit)}
}

// shrink returns v, or a copy of it without the children that are left out, made
// once for all that name it.
func (s *shrinker) shrink(v *visit) (*visit, error) {
	if shrunk := s.made[v]; shrunk != nil {
		return shrunk, nil
	}
	if !v.isSparse() {
		s.made[v] = v
		return v, nil
	}
	children := make([]*visit, len(v.children))
	byOld := make(map[digest.Digest]descriptor)
	for _, leaf := range v.leaves {
		byOld[leaf.digest] = leaf.descriptor
	}
	for i, child := range v.children {
		var err error
		if children[i], err = s.shrink(child); err != nil {
			return nil, err
		}
		byOld[child.node.digest] = children[i].node.descriptor
	}
	data, err := s.bytes(v)
	if err != nil {
		return nil, err
	}
	if data, err = withChildren(data, byOld); err != nil {
		return nil, err
	}
	n := *v.node
	n.data, n.digest, n.size = data, digest.FromBytes(data), int64(len(data))
	s.lost += len(v.referrers)
	s.made[v] = &visit{origin: v.origin, node: &n, children: children, subject: v.subject, leaves: v.leaves}
	return s.made[v], nil
}

// written is the digest that a root gets in a target that rewrites what is cut down
// to some platforms: its own if nothing is.
func (g *graph) written(ctx context.Context, o origin, platforms []config.Platform, desc ocispec.Descriptor) (digest.Digest, error) {
	if len(platforms) == 0 {
		return desc.Digest, nil
	}
	v, err := g.tour(ctx, o, scopeOfAll(false, platforms), desc, nil)
	if err != nil {
		return "", err
	}
	bytes := func(v *visit) ([]byte, error) {
		if v.node.data != nil {
			return v.node.data, nil
		}
		return o.manifest(ctx, v.node.oci())
	}
	if v, err = newShrinker(bytes).shrink(v); err != nil {
		return "", err
	}
	return v.node.digest, nil
}

// withChildren rewrites the list of an index. Everything else stays as it is.
func withChildren(data []byte, kept map[digest.Digest]descriptor) ([]byte, error) {
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
		child["digest"] = json.RawMessage(fmt.Sprintf("%q", d.digest))
		child["size"] = json.RawMessage(fmt.Sprint(d.size))
		left = append(left, child)
	}
	var err error
	if index["manifests"], err = json.Marshal(left); err != nil {
		return nil, err
	}
	return json.Marshal(index)
}
