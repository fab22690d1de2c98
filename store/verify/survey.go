package verify

import (
	"errors"
	"iter"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Survey knows all manifests and blobs that the entries of a layout need, and the faults among
// them. It is not safe for concurrent use, except for Blame.
type Survey struct {
	verifier *Verifier
	archives []iter.Seq[digest.Digest] // see NewSurvey
	needed   map[digest.Digest]bool    // by whole entries; nil: all that is reached
}

// NewSurvey walks what a verifier reads, and looks for each blob with stat. The archives list
// the blobs of those inputs that have an order.
func NewSurvey(v *Verifier, stat func(digest.Digest) (int64, error), archives []iter.Seq[digest.Digest]) (*Survey, error) {
	if err := v.Walk(); err != nil {
		return nil, err
	}
	for _, n := range v.Reached {
		if n.Read || v.IsLeft(n) {
			continue
		}
		size, err := stat(n.Digest)
		if err == nil && size != n.Size {
			err = &oci.MismatchError{Descriptor: n.Descriptor(), Size: size}
		}
		v.Blame(n.Digest, n.Size, err)
	}
	return &Survey{verifier: v, archives: archives}, nil
}

// Blame records that a blob cannot be read.
func (s *Survey) Blame(desc ocispec.Descriptor, err error) {
	s.verifier.Blame(desc.Digest, desc.Size, err)
}

// Faults lists the faults by the entries that they affect, for each entry the first. The
// subject of a referrer may be absent.
func (s *Survey) Faults() ([]Fault, error) {
	result, err := s.verifier.Result(0)
	if err != nil {
		return nil, err
	}
	var all []Fault
	seen := make(map[string]bool)
	for _, f := range result.Faults {
		if _, dangling := errors.AsType[*SubjectError](f.Err); !dangling && !seen[f.Reference] {
			seen[f.Reference] = true
			all = append(all, f)
		}
	}
	return all, nil
}

// Without leaves out what only broken entries need. Call it before Manifests.
func (s *Survey) Without(broken func(oci.Entry) bool) {
	s.needed = make(map[digest.Digest]bool)
	for i := range s.verifier.Index.Entries {
		if e := &s.verifier.Index.Entries[i]; !broken(*e) {
			s.verifier.below(e, func(n oci.Node) { s.needed[n.Digest] = true })
		}
	}
}

// Orphans lists the referrers that would lose their subject without the broken entries.
func (s *Survey) Orphans(broken func(oci.Entry) bool) []oci.Entry {
	has := make(map[digest.Digest]bool)
	keep := func(e *oci.Entry) { s.verifier.below(e, func(n oci.Node) { has[n.Digest] = true }) }
	var waiting []*oci.Entry
	for i := range s.verifier.Index.Entries {
		e := &s.verifier.Index.Entries[i]
		subject := s.Subject(*e)
		switch {
		case broken(*e):
		case e.Name == "" && subject != "" && s.verifier.Reached[subject] != nil:
			waiting = append(waiting, e)
		default:
			keep(e)
		}
	}
	for before := -1; before != len(waiting); { // a referrer may have referrers
		before = len(waiting)
		waiting = slices.DeleteFunc(waiting, func(e *oci.Entry) bool {
			found := has[s.Subject(*e)]
			if found {
				keep(e)
			}
			return found
		})
	}
	var orphans []oci.Entry
	for _, e := range waiting {
		orphans = append(orphans, *e)
	}
	return orphans
}

// Reaches reports whether the graph of an entry has one of these manifests.
func (s *Survey) Reaches(e oci.Entry, any map[digest.Digest]bool) (reaches bool) {
	s.verifier.below(&e, func(n oci.Node) { reaches = reaches || any[n.Digest] })
	return reaches
}

// Subject returns what an entry without a name refers to; "" if it is no referrer.
func (s *Survey) Subject(e oci.Entry) digest.Digest { return s.verifier.subjects[e.Digest] }

// below calls met for each manifest and blob of an entry, once.
func (v *Verifier) below(e *oci.Entry, met func(oci.Node)) {
	w := newEntryWalk(v, e)
	walker := oci.Walker{Visit: func(n oci.Node) ([]oci.Node, error) {
		met(n)
		if n.Role == oci.Leaf {
			return nil, nil
		}
		c, _ := w.contents(n) // its error is among the faults
		return c.below, nil
	}}
	_ = walker.Walk(oci.Node{Descriptor: e.Descriptor(), Role: oci.Root}) // a limit is among the faults
}

// Manifests lists the manifests that are needed, each once: in the order of the archives among
// the inputs, the last one first but a base after its delta, then in that of the entries.
func (s *Survey) Manifests() iter.Seq[ocispec.Descriptor] {
	return func(yield func(ocispec.Descriptor) bool) {
		for _, archive := range s.archives {
			for d := range archive {
				if n := s.take(d, true); n != nil && !yield(n.Descriptor()) {
					return
				}
			}
		}
		for _, i := range s.verifier.Index.Order() {
			ended := false
			s.verifier.below(&s.verifier.Index.Entries[i], func(n oci.Node) {
				if ended || n.Role == oci.Leaf {
					return
				}
				if m := s.take(n.Digest, true); m != nil {
					ended = !yield(m.Descriptor())
				}
			})
			if ended {
				return
			}
		}
	}
}

// take returns a manifest or a blob that is needed and was not listed before; else nil.
func (s *Survey) take(d digest.Digest, manifest bool) *Blob {
	n := s.verifier.Reached[d]
	if n == nil || n.left || n.Manifest != manifest || n.listed || s.needed != nil && !s.needed[d] {
		return nil
	}
	n.listed = true
	return n
}

// BlobsOf lists the blobs of a manifest that are needed and were not listed before, in the
// order of a bundle: config, layers, blobs of an index, layers that need not be there.
func (s *Survey) BlobsOf(desc ocispec.Descriptor, data []byte) []ocispec.Descriptor {
	m, err := oci.ParseManifest(desc, data)
	if err != nil {
		return nil // a fault of the manifest, which the survey has
	}
	var optional, all []ocispec.Descriptor
	for _, b := range append(m.Leaves(), m.Manifests...) {
		if oci.IsElsewhere(b) && !oci.HasInline(b) {
			optional = append(optional, b)
		} else if n := s.take(b.Digest, false); n != nil {
			all = append(all, n.Descriptor())
		}
	}
	for _, b := range optional {
		if n := s.take(b.Digest, false); n != nil {
			all = append(all, n.Descriptor())
		}
	}
	return all
}
