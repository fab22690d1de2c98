package registry

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

var subject = describeBytes(imageManifest)

func referrer(n int) ocispec.Descriptor {
	desc := describeBytes(fmt.Append(nil, "referrer", n))
	desc.MediaType = ocispec.MediaTypeImageManifest
	desc.ArtifactType = "application/vnd.example.signature"
	desc.Annotations = map[string]string{"n": fmt.Sprint(n)}
	return desc
}

func indexOf(manifests ...ocispec.Descriptor) []byte {
	index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: manifests}
	index.SchemaVersion = 2
	data, _ := json.Marshal(index)
	return data
}

func giveIndex(w http.ResponseWriter, data []byte) {
	w.Header().Set("Content-Type", ocispec.MediaTypeImageIndex)
	w.Write(data)
}

func TestReferrersByTheAPI(t *testing.T) {
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
		equal(t, "path", req.URL.Path, "/v2/test/repo/referrers/"+subject.Digest.String())
		if req.URL.RawQuery == "" {
			w.Header().Set("Link", "<?page=2>; rel=\"next\"")
			giveIndex(w, indexOf(referrer(1), referrer(2)))
			return
		}
		giveIndex(w, indexOf(referrer(2), referrer(3)))
	})
	found, err := r.Referrers(t.Context(), subject, nil)
	noError(t, err)
	equal(t, "referrers", len(found), 3)
	equal(t, "artifact type", found[2].ArtifactType, "application/vnd.example.signature")
	equal(t, "annotation", found[2].Annotations["n"], "3")
	api, err := r.ReferrersAPI(t.Context())
	noError(t, err)
	equal(t, "has the API", api, true)
	equal(t, "requests", fmt.Sprint(r.host.client.Stats()), "map[GET referrers:2]")
}

func TestReferrersByTheTag(t *testing.T) {
	tag := FallbackTag(subject.Digest)
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
		if strings.HasSuffix(req.URL.Path, "/manifests/"+tag) {
			giveIndex(w, indexOf(referrer(1)))
			return
		}
		http.NotFound(w, req)
	})
	yes, no := true, false
	for name, test := range map[string]struct {
		known *bool
		want  int
	}{"not known": {nil, 1}, "known to be there": {&yes, 1}, "known not to be": {&no, 0}} {
		t.Run(name, func(t *testing.T) {
			found, err := r.Referrers(t.Context(), subject, test.known)
			noError(t, err)
			equal(t, "referrers", len(found), test.want)
		})
	}
	other := open(t, r.host.client, r.ref.Registry, "other/repo")
	found, err := other.Referrers(t.Context(), describeBytes(nil), nil)
	noError(t, err)
	equal(t, "referrers of another", len(found), 0)
	api, err := other.ReferrersAPI(t.Context())
	noError(t, err)
	equal(t, "has the API", api, false)
	stats := r.host.client.Stats()
	equal(t, "times the API was asked", stats["GET referrers"], 1)
	equal(t, "times a tag was asked", stats["GET manifest"], 3)
}

func TestReferrersOfBothKinds(t *testing.T) {
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
		if strings.Contains(req.URL.Path, "/manifests/") {
			giveIndex(w, indexOf(referrer(1), referrer(2)))
			return
		}
		giveIndex(w, indexOf(referrer(2), referrer(3)))
	})
	yes := true
	found, err := r.Referrers(t.Context(), subject, &yes)
	noError(t, err)
	equal(t, "referrers", len(found), 3)
}

// TestReferrersThatWereThere: what is known to be there and is not found is a
// fault, not an empty list.
func TestReferrersThatWereThere(t *testing.T) {
	t.Run("the listed tag", func(t *testing.T) {
		r, _ := repository(t, http.NotFound)
		yes := true
		if found, err := r.Referrers(t.Context(), subject, &yes); transport.Status(err) != 404 {
			t.Errorf("got %v, %v", found, err)
		}
	})
	t.Run("the API", func(t *testing.T) {
		gone := false
		r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
			if gone {
				http.NotFound(w, req)
				return
			}
			giveIndex(w, indexOf())
		})
		_, err := r.Referrers(t.Context(), subject, nil)
		noError(t, err)
		gone = true
		if found, err := r.Referrers(t.Context(), subject, nil); transport.Status(err) != 404 {
			t.Errorf("got %v, %v", found, err)
		}
	})
}
