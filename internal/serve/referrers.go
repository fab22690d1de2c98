package serve

import (
	"net/http"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/compact"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

const (
	// maxReferrers bounds the descriptors of one page.
	maxReferrers = 1000
	// maxReferrersBytes bounds their annotations. Clients read at most 4 MiB.
	maxReferrersBytes = 1 << 20
)

// referrers sends a page of the referrers of a manifest. It reads the manifests of that page,
// since a descriptor has the annotations of its manifest.
func (s *session) referrers() *fault {
	subject, f := s.digest()
	if f != nil {
		return f
	}
	page := newReferrersPage(s.query.Get("artifactType"))
	if page.kind != "" {
		s.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	all, err := s.repository.Referrers(compact.Of(subject))
	if err != nil {
		return unavailable("the list of referrers", err)
	}
	begin, found := slices.BinarySearch(all, compact.Of(digest.Digest(s.query.Get("last"))))
	if found {
		begin++
	}
	for _, d := range all[begin:] {
		if page.isFull() {
			s.next(0, page.last())
			break
		}
		desc, err := s.describe(d)
		if s.request.Context().Err() != nil {
			return refusal(http.StatusServiceUnavailable, "UNKNOWN", "canceled")
		}
		if store.IsPassing(err) { // a list that lacks it would be believed
			return unavailable("the list of referrers", err)
		}
		if err != nil {
			s.omission = "the referrer " + string(d.Digest()) + " is absent or damaged: not listed"
			continue
		}
		page.add(desc)
	}
	return s.json(ocispec.MediaTypeImageIndex, page.index)
}

// referrersPage is a page of a list of referrers.
type referrersPage struct {
	kind  string // the artifact type that the client asks for; "": any
	index ocispec.Index
	size  int // of its annotations
}

func newReferrersPage(kind string) *referrersPage {
	p := &referrersPage{kind: kind, index: ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{}}}
	p.index.SchemaVersion = 2
	return p
}

// add lists a referrer, if it is of the kind.
func (p *referrersPage) add(desc ocispec.Descriptor) {
	if p.kind == "" || p.kind == desc.ArtifactType {
		p.index.Manifests = append(p.index.Manifests, desc)
		p.size += sizeOf(desc)
	}
}

func (p *referrersPage) isFull() bool {
	return len(p.index.Manifests) == maxReferrers || p.size > maxReferrersBytes
}

// last returns the digest after which the next page begins.
func (p *referrersPage) last() string {
	return p.index.Manifests[len(p.index.Manifests)-1].Digest.String()
}

// describe returns the descriptor of a referrer.
func (s *session) describe(of compact.Digest) (desc ocispec.Descriptor, err error) {
	d := of.Digest()
	data, release, err := s.snapshot.Manifest(s.request.Context(), d)
	if err != nil {
		return desc, err
	}
	defer release()
	desc = ocispec.Descriptor{Digest: d, Size: int64(len(data))}
	m, err := oci.ParseManifest(desc, data)
	if err != nil {
		return desc, err
	}
	desc.MediaType, desc.ArtifactType, desc.Annotations = m.MediaType, m.Kind(), m.Annotations
	return desc, nil
}

// sizeOf estimates the length of a descriptor in JSON.
func sizeOf(desc ocispec.Descriptor) int {
	n := 300
	for key, value := range desc.Annotations {
		n += len(key) + len(value) + 10
	}
	return n
}
