package origin

import (
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/compact"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// referrers holds the manifests of a layout that refer to others. It is compact, since 100,000
// are common: it shares the entries of index.json and their texts.
type referrers struct {
	all  []referrer
	at   map[digest.Digest]int32  // where in all a referrer is
	last map[compact.Digest]int32 // where the last one of a subject is
}

// referrer is a manifest that refers to another one.
type referrer struct {
	entry  *oci.Entry
	listed *ocispec.Descriptor // as a list of referrers has it; nil: as its entry has it
	homes  []string            // its repositories; none means any
	before int32               // where the one before it of the same subject is; -1: there is none
}

func newReferrers() referrers {
	return referrers{at: make(map[digest.Digest]int32), last: make(map[compact.Digest]int32)}
}

// reserve makes room for n more referrers, which would take several times that if it grew.
func (s *referrers) reserve(n int) { s.all = slices.Grow(s.all, n) }

// add notes that a manifest refers to subject. One that is known already has the repositories
// of both.
func (s *referrers) add(r referrer, subject digest.Digest) {
	d := r.entry.Digest
	if at, met := s.at[d]; met {
		known := &s.all[at]
		known.homes = uniteHomes(known.homes, r.homes)
		return
	}
	at := int32(len(s.all))
	key := r.entry.Subject // which is in memory already
	if key.Digest() != subject {
		key = compact.Of(subject)
	}
	var follows bool
	if r.before, follows = s.last[key]; !follows {
		r.before = -1
	}
	s.all = append(s.all, r)
	s.at[d], s.last[key] = at, at
}

// uniteHomes returns the repositories of either list, sorted; none if one of them means any.
func uniteHomes(a, b []string) []string {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	homes := slices.Concat(a, b)
	slices.Sort(homes)
	return slices.Compact(homes)
}

// has reports whether a manifest is a referrer.
func (s *referrers) has(d digest.Digest) bool {
	_, has := s.at[d]
	return has
}

// homes returns the repositories of a referrer; none means any. Do not modify them.
func (s *referrers) homes(d digest.Digest) []string {
	if at, has := s.at[d]; has {
		return s.all[at].homes
	}
	return nil
}

// of lists the referrers of a subject in the order in which they were added.
func (s *referrers) of(subject digest.Digest) []ocispec.Descriptor {
	key := compact.Of(subject)
	at, has := s.last[key]
	if !has || key == "" {
		return nil
	}
	var all []ocispec.Descriptor
	for ; at >= 0; at = s.all[at].before {
		all = append(all, s.all[at].descriptor())
	}
	slices.Reverse(all)
	return all
}

func (r *referrer) descriptor() ocispec.Descriptor {
	if r.listed != nil {
		return *r.listed
	}
	return r.entry.Descriptor()
}
