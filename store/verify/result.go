package verify

import (
	"cmp"
	"context"
	"errors"
	"io/fs"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Result counts what was reached, and lists each fault for the entries that it affects.
func (v *Verifier) Result(leftOver int) (*Result, error) {
	if err := cmp.Or(context.Cause(v.ctx), v.fatal); err != nil {
		return nil, err
	}
	r := &Result{LeftOver: leftOver, Blobs: len(v.Reached), Faults: v.listFaults()}
	for _, n := range v.Reached {
		v.countBlob(r, n)
	}
	if v.Delta != nil {
		r.Base = v.Delta.Name()
	}
	listed, attached := make(map[digest.Digest]bool), 0
	for i := range v.Index.Entries {
		e := &v.Index.Entries[i]
		members, isList := v.referrers(e)
		if _, is := e.AttachedTo(); is {
			attached++
		} else if !isList && !v.isChild(e) {
			r.Artifacts++
			if v.options.Artifact != nil {
				v.options.Artifact(nameOf(e), e.Digest, func() int64 { return v.size(e) })
			}
		}
		if len(v.faulty) > 0 {
			r.Faults = v.faults(r.Faults, e)
		}
		if err := e.CheckName(func() ([]byte, error) { return v.source.Manifest(e.Descriptor()) }); err != nil {
			r.Faults = append(r.Faults, fault(e, e.Digest, err))
		}
		for _, m := range members {
			if !listed[m.Digest] && !v.hasSubject(m) {
				r.Faults = append(r.Faults, fault(e, m.Digest, &SubjectError{Subject: m.Subject}))
			}
			listed[m.Digest] = true
		}
	}
	r.Referrers = len(listed) + attached
	return r, nil
}

// countBlob counts what was reached as hashed or left to the base. It takes those off r.Blobs that
// were not hashed.
func (v *Verifier) countBlob(r *Result, n *Blob) {
	switch {
	case n.left:
		r.Blobs--
		if !oci.IsEmptyJSON(n.Digest, n.Size) { // which a restore makes
			r.Left, r.LeftBytes = r.Left+1, bounds.Sum(r.LeftBytes, n.Size)
		}
	case errors.Is(v.faulty[sizedDigest{n.Digest, n.Size}], fs.ErrNotExist):
		r.Blobs-- // there was nothing to hash
	default:
		r.Bytes = bounds.Sum(r.Bytes, n.Size)
	}
}

// hasSubject reports whether the layout has the subject of a referrer. That of a referrer which an
// earlier artifact of the same name left may be unreachable; prune removes both.
func (v *Verifier) hasSubject(m oci.ListedReferrer) bool {
	if n := v.Reached[m.Subject]; n != nil {
		return n.Manifest
	}
	return !v.source.Absent(m.Subject)
}

// isChild reports whether an entry without a name is a child of an index of the layout.
// oras-go lists the children of what it stores.
func (v *Verifier) isChild(e *oci.Entry) bool {
	n := v.Reached[e.Digest]
	return e.Name == "" && n != nil && n.child
}

// referrers returns the referrers that an entry stands for: itself, if it has a subject
// and no name, or the members of its list.
func (v *Verifier) referrers(e *oci.Entry) (members []oci.ListedReferrer, is bool) {
	if e.Name != "" {
		return oci.ReferrersList(*e, v.source.Manifest)
	}
	subject, refers := v.subjects[e.Digest]
	if refers {
		members = append(members, oci.ListedReferrer{Descriptor: e.Descriptor(), Subject: subject})
	}
	return members, refers
}

func fault(e *oci.Entry, d digest.Digest, err error) Fault {
	return Fault{Reference: nameOf(e), Digest: d, Err: err}
}

// nameOf returns the name of an entry; its digest if it has none.
func nameOf(e *oci.Entry) string { return cmp.Or(e.Name, string(e.Digest)) }

// faults appends the faults in the graph of one entry.
func (v *Verifier) faults(to []Fault, e *oci.Entry) []Fault {
	v.each(e, func(n oci.Node) {
		if err := v.faulty[sizedDigest{n.Digest, n.Size}]; err != nil {
			to = append(to, fault(e, n.Digest, err))
		}
	})
	return to
}

// size returns the size of the graph of one entry.
func (v *Verifier) size(e *oci.Entry) (bytes int64) {
	v.each(e, func(n oci.Node) { bytes = bounds.Sum(bytes, n.Size) })
	return bytes
}

// each calls visit for each blob in the graph of one entry. It walks the graph once more, which
// only a layout with faults needs, and a caller who asks for sizes.
func (v *Verifier) each(e *oci.Entry, visit func(oci.Node)) {
	w := newEntryWalk(v, e)
	met := map[sizedDigest]bool{{e.Digest, e.Size}: true}
	manifests := 0
	for level := []oci.Node{{Descriptor: e.Descriptor(), Role: oci.Root}}; len(level) > 0; {
		var next []oci.Node
		for _, c := range level {
			visit(c)
			if c.Role == oci.Leaf || c.Depth > bounds.Depth || manifests > bounds.Manifests {
				continue
			}
			contents, _ := w.contents(c) // the error is among the faults
			for _, b := range contents.below {
				at := sizedDigest{b.Digest, b.Size}
				if !met[at] {
					if b.Role == oci.Child {
						manifests++
					}
					met[at] = true
					next = append(next, b)
				}
			}
		}
		level = next
	}
}
