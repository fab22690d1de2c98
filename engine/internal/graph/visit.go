package graph

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
)

// Visit is one manifest as one repository has it: the same manifest may have
// other referrers elsewhere.
type Visit struct {
	Origin    origin.Origin
	Node      *Node
	children  []*Visit
	subject   *Visit // unless that led here
	Referrers []*Visit
	Attached  []attachment
	Leaves    []*Blob       // blobs that an index names, and optional layers that are there; without a node, the blob itself
	Sparse    bool          // some children are left out
	Lost      int           // referrers that are wanted and could not be had
	Missing   error         // why some referrer could not be had
	trial     *trial        // of its signatures; nil: no policy asks for them
	Err       error         // why the graph below could not be had
	done      chan struct{} // guarded by graph.mu; closed when all of it is known
	awaits    []*Visit      // the visits that it waits for; guarded by graph.mu, nil once it is done
}

// attachment is a manifest that cosign keeps beside another, under a tag that is made of the
// other's digest.
type attachment struct {
	name string // in index.json
	*Visit
}

type visitKey struct {
	origin origin.Origin
	nodeKey
	scope string
	alone bool // no index names it: it is a manifest even where one would name a blob
	led   bool // its subject led here, and is not followed again
}

// waitsFor reports whether v cannot be done before other is; graph.mu is held.
func (v *Visit) waitsFor(other *Visit, seen map[*Visit]bool) bool {
	if v == other {
		return true
	}
	if seen[v] {
		return false
	}
	seen[v] = true
	return slices.ContainsFunc(v.awaits, func(w *Visit) bool { return w.waitsFor(other, seen) })
}

// isBlob reports whether v is a blob that an index names.
func (v *Visit) isBlob() bool { return v.Node == nil && len(v.Leaves) > 0 }

// adopt adds the manifests and blobs that an index names.
func (v *Visit) adopt(below []*Visit) {
	for _, w := range below {
		if w.isBlob() {
			v.Leaves = append(v.Leaves, w.Leaves...)
		}
	}
	v.children = slices.DeleteFunc(below, (*Visit).isBlob)
}

// Blobs lists the blobs of v.
func (v *Visit) Blobs() []*Blob {
	if len(v.Leaves) == 0 {
		return v.Node.Blobs
	}
	return slices.Concat(v.Node.Blobs, v.Leaves)
}

// Parts returns the manifest itself and its blobs.
func (v *Visit) Parts() []content.Descriptor {
	blobs := v.Blobs()
	parts := append(make([]content.Descriptor, 0, 1+len(blobs)), v.Node.Descriptor)
	for _, b := range blobs {
		parts = append(parts, b.Descriptor)
	}
	return parts
}

// Below lists the manifests that v needs: its children and its subject.
func (v *Visit) Below() []*Visit {
	if v.subject == nil {
		return v.children
	}
	return append(slices.Clone(v.children), v.subject)
}

// next lists the manifests that v leads to: those that it needs, then its referrers.
func (v *Visit) next() []*Visit {
	all := slices.Concat(v.Below(), v.Referrers)
	for _, a := range v.Attached {
		all = append(all, a.Visit)
	}
	return all
}

// Core calls fn for v and the manifests below it, each once, depth first, without their
// referrers.
func (v *Visit) Core(fn func(*Visit)) {
	v.each(make(map[*Visit]bool), (*Visit).Below, fn)
}

// All calls fn for every manifest of the graph, each once, depth first: a manifest,
// its children, then its referrers.
func (v *Visit) All(fn func(*Visit)) { v.each(make(map[*Visit]bool), (*Visit).next, fn) }

// linked lists what the manifest of v leads to: All without the tags of cosign.
func (v *Visit) linked() []*Visit { return slices.Concat(v.Below(), v.Referrers) }

// Linked is All without what cosign attached by tags.
func (v *Visit) Linked(fn func(*Visit)) { v.each(make(map[*Visit]bool), (*Visit).linked, fn) }

// Attachments calls fn for each manifest of the graph that cosign attached to another one by
// a tag, with the name of the tag and the subject.
func (v *Visit) Attachments(fn func(name string, subject, attached *Visit)) {
	v.All(func(v *Visit) {
		for _, a := range v.Attached {
			fn(a.name, v, a.Visit)
		}
	})
}

// each calls fn for what next leads to and seen has not yet. A graph of thirty
// indexes, each with the one below it twice, has a thousand million ways down.
func (v *Visit) each(seen map[*Visit]bool, next func(*Visit) []*Visit, fn func(*Visit)) {
	if seen[v] {
		return
	}
	seen[v] = true
	fn(v)
	for _, w := range next(v) {
		w.each(seen, next, fn)
	}
}

// Subjects lists the subjects of v and of the manifests that it leads to, as far as they
// come along for their sake.
func (v *Visit) Subjects() []digest.Digest {
	var found []digest.Digest
	v.All(func(v *Visit) {
		if v.subject != nil {
			found = append(found, v.subject.Node.Digest)
		}
	})
	slices.Sort(found)
	return slices.Compact(found)
}

// Whole returns the error of the first blob of v, or of a manifest below it, that failed;
// nil if all came. It is called when no blob of v is under way.
func (v *Visit) Whole() error {
	var err error
	v.Core(func(v *Visit) {
		for _, b := range v.Blobs() {
			if err == nil {
				err = b.Err
			}
		}
	})
	return err
}

// IsSparse reports whether v, or a manifest below it, lacks children.
func (v *Visit) IsSparse() bool {
	sparse := false
	v.Core(func(v *Visit) { sparse = sparse || v.Sparse })
	return sparse
}

// Referring calls fn for each referrer of v, of its children and of those
// referrers that is whole, with its name if it has one. Its error says why one is missing.
func (v *Visit) Referring(fn func(r *Visit, name string)) error {
	var missing error
	below := (*Visit).Below
	seen, followed := make(map[*Visit]bool), make(map[attachment]bool)
	var look func(*Visit)
	follow := func(r *Visit, name string) {
		if followed[attachment{name, r}] {
			return
		}
		followed[attachment{name, r}] = true
		err := r.Whole()
		if err == nil {
			fn(r, name)
			r.each(seen, below, look)
		}
		missing = cmp.Or(missing, err)
	}
	look = func(v *Visit) {
		missing = cmp.Or(missing, v.Missing)
		for _, r := range v.Referrers {
			follow(r, "")
		}
		for _, a := range v.Attached {
			follow(a.Visit, a.name)
		}
	}
	v.each(seen, below, look)
	return missing
}
