package registry

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func TestFallbackTagOfLongDigests(t *testing.T) {
	d := digest.SHA512.FromString("x")
	equal(t, "tag", FallbackTag(d), "sha512-"+d.Encoded()[:64])
}

// fallbackRegistry keeps manifests by tag and has no referrers API.
type fallbackRegistry struct {
	mu   sync.Mutex
	kept map[string][]byte
	puts int
}

func (f *fallbackRegistry) serve(w http.ResponseWriter, req *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if req.Method == http.MethodPut {
		f.puts++
		f.kept[req.URL.Path], _ = io.ReadAll(req.Body)
		w.WriteHeader(http.StatusCreated)
		return
	}
	data, ok := f.kept[req.URL.Path]
	if !ok {
		http.NotFound(w, req)
		return
	}
	giveIndex(w, data)
}

func TestReferrersAreMergedIntoTheListUnderTheTag(t *testing.T) {
	f := &fallbackRegistry{kept: make(map[string][]byte)}
	r, _ := repository(t, f.serve)
	merge := func(add ...ocispec.Descriptor) {
		t.Helper()
		noError(t, r.ListReferrers(t.Context(), subject.Digest, add, nil, nil))
	}
	merge(referrer(1), referrer(2))
	merge(referrer(2), referrer(3))
	equal(t, "PUTs", f.puts, 2)
	merge(referrer(1), referrer(3)) // nothing new
	equal(t, "PUTs", f.puts, 2)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() { merge(referrer(10 + i)) })
	}
	wg.Wait()
	found, err := r.Referrers(t.Context(), subject, nil)
	noError(t, err)
	equal(t, "referrers", len(found), 23)
	equal(t, "annotation", found[0].Annotations["n"], "1")
}

// TestReferrersAreDescribedUnderTheTag, one after the other and within the limits of a list that
// is read. A registry with the API describes them itself.
func TestReferrersAreDescribedUnderTheTag(t *testing.T) {
	described := 0
	describe := func(size int) Describe {
		return func(desc ocispec.Descriptor) (ocispec.Descriptor, error) {
			described++
			desc.ArtifactType, desc.Annotations = "signature", map[string]string{"a": strings.Repeat("a", size)}
			return desc, nil
		}
	}
	f := &fallbackRegistry{kept: make(map[string][]byte)}
	r, _ := repository(t, f.serve)
	noError(t, r.ListReferrers(t.Context(), subject.Digest, []ocispec.Descriptor{referrer(1), referrer(2)}, nil, describe(5)))
	found, err := r.Referrers(t.Context(), subject, nil)
	noError(t, err)
	equal(t, "annotation", found[1].ArtifactType+found[1].Annotations["a"], "signatureaaaaa")

	var many []ocispec.Descriptor
	for i := range 100 {
		many = append(many, referrer(10+i))
	}
	described = 0
	if err := r.ListReferrers(t.Context(), subject.Digest, many, nil, describe(4<<20)); err == nil || !strings.Contains(err.Error(), "takes more than 32 MiB") {
		t.Error(err)
	}
	equal(t, "described", described, 8)
	equal(t, "PUTs", f.puts, 1)

	described = 0
	r, _ = repository(t, func(w http.ResponseWriter, _ *http.Request) {
		data, _ := json.Marshal(ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: many})
		giveIndex(w, data)
	})
	noError(t, r.ListReferrers(t.Context(), subject.Digest, many, nil, describe(5)))
	equal(t, "described with the API", described, 0)
}
