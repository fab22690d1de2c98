package testregistry

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// WithoutReferrer removes one referrer from a list: a registry that got the API late may know
// it only by its tag.
func WithoutReferrer(hidden digest.Digest) Fault {
	return func(answer http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			whole := httptest.NewRecorder()
			answer.ServeHTTP(whole, req)
			var list ocispec.Index
			if err := json.Unmarshal(whole.Body.Bytes(), &list); err != nil {
				panic(err)
			}
			list.Manifests = slices.DeleteFunc(list.Manifests, func(d ocispec.Descriptor) bool { return d.Digest == hidden })
			w.Header().Set("Content-Type", ocispec.MediaTypeImageIndex)
			_ = json.NewEncoder(w).Encode(list) // the client may have gone
		})
	}
}

// TagsAsDigests makes a registry read the tag sha256-HEX as the digest sha256:HEX, as GitLab's
// does: a request for the list of referrers under such a tag returns the subject.
func TagsAsDigests(req *http.Request, _ int) Fault {
	path, tag, ok := strings.Cut(req.URL.Path, "/manifests/sha256-")
	if !ok || req.Method == http.MethodPut {
		return nil
	}
	return func(http.Handler) http.Handler {
		return http.RedirectHandler(path+"/manifests/sha256:"+tag, http.StatusTemporaryRedirect)
	}
}

// UnknownRepository responds that the repository does not exist, as distribution does for one
// that has blobs and no manifest.
func UnknownRepository() Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			refuse(w, http.StatusNotFound, "NAME_UNKNOWN", "repository name not known to registry")
		})
	}
}
