package engine

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/opencontainers/go-digest"
)

// rewrite puts in the place of a sparse index one that names only what is there,
// for registries that refuse the sparse one. It has another digest: what refers
// to the old one, signatures among it, does not hold for it and stays behind.
func (r *restore) rewrite(ctx context.Context, d *delivery) error {
	lost := 0
	v, err := r.shrink(ctx, d.visit, &lost, make(map[*visit]*visit))
	if err != nil {
		return err
	}
	d.visit.core(func(v *visit) {
		if v.isSparse() {
			d.old = append(d.old, v.node.digest)
		}
	})
	d.visit, d.root = v, v.node.descriptor
	text := fmt.Sprintf("%s: its index is rewritten as %s; signatures of the index no longer hold", d.name, d.root.digest)
	if lost > 0 {
		text += "; left behind: " + quantity(lost, "referrer")
	}
	r.Progress.Notice(text)
	return nil
}

// shrink returns v, or a copy of it without the children that are left out, made
// once for all that name it, and adds to lost how many referrers that costs.
func (r *restore) shrink(ctx context.Context, v *visit, lost *int, made map[*visit]*visit) (*visit, error) {
	if shrunk := made[v]; shrunk != nil {
		return shrunk, nil
	}
	if !v.isSparse() {
		made[v] = v
		return v, nil
	}
	children := make([]*visit, len(v.children))
	byOld := make(map[digest.Digest]descriptor)
	for _, leaf := range v.leaves {
		byOld[leaf.digest] = leaf.descriptor
	}
	for i, child := range v.children {
		var err error
		if children[i], err = r.shrink(ctx, child, lost, made); err != nil {
			return nil, err
		}
		byOld[child.node.digest] = children[i].node.descriptor
	}
	data, err := r.bytes(ctx, v)
	if err != nil {
		return nil, err
	}
	if data, err = withChildren(data, byOld); err != nil {
		return nil, err
	}
	n := *v.node
	n.data, n.digest, n.size = data, digest.FromBytes(data), int64(len(data))
	*lost += len(v.referrers)
	made[v] = &visit{origin: v.origin, node: &n, children: children, leaves: v.leaves}
	return made[v], nil
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
