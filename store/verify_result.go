package store

import (
	"context"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// result counts, and names for every fault the entries that it concerns.
func (v *verifier) result(leftOver int) (*Verification, error) {
	if err := context.Cause(v.ctx); err != nil {
		return nil, err
	}
	r := &Verification{LeftOver: leftOver, Blobs: len(v.reached)}
	for _, n := range v.reached {
		r.Bytes += n.desc.Size
	}
	for i := range v.index.Entries {
		e := &v.index.Entries[i]
		subject, refers := v.subjects[e.Digest]
		referrer := refers && e.Name == ""
		if referrer {
			r.Referrers++
		} else {
			r.Artifacts++
		}
		if len(v.bad) > 0 {
			r.Faults = v.faults(r.Faults, e)
		}
		// One that an earlier artifact of the same name left has a subject that nothing
		// reaches any more; prune takes both away.
		if n := v.reached[subject]; referrer && (n == nil || !n.manifest) && (n != nil || v.source.absent(subject)) {
			r.Faults = append(r.Faults, fault(e, e.Digest, &SubjectError{Subject: subject}))
		}
	}
	return r, nil
}

func fault(e *Entry, d digest.Digest, err error) Fault {
	f := Fault{Reference: e.Name, Digest: d, Err: err}
	if f.Reference == "" {
		f.Reference = string(e.Digest)
	}
	return f
}

// faults appends those of one entry: its graph is walked once more, which only
// a layout with faults has to pay for.
func (v *verifier) faults(to []Fault, e *Entry) []Fault {
	seen := make(map[digest.Digest]bool)
	var visit func(desc ocispec.Descriptor, manifest bool)
	visit = func(desc ocispec.Descriptor, manifest bool) {
		if seen[desc.Digest] {
			return
		}
		seen[desc.Digest] = true
		if err := v.bad[desc.Digest]; err != nil {
			to = append(to, fault(e, desc.Digest, err))
		}
		if !manifest {
			return
		}
		data, err := v.source.manifest(desc)
		if err != nil {
			return // it is among the bad
		}
		children, _, _ := Successors(desc, data) // so is an error of this
		for _, child := range children {
			if !optional(e.Platforms, desc, child, children) || !v.source.absent(child.Digest) {
				visit(child, IsManifest(child.MediaType))
			}
		}
	}
	visit(e.Descriptor(), true)
	return to
}
