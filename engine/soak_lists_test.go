package engine_test

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// damagedList says something else of the referrers in a list than what is true, in a
// way that can be found out: it names one twice, in another order, with another size or
// media type, or its own subject among them. That one is left out cannot be.
func damagedList(draw *rand.Rand) testregistry.Fault {
	how := draw.IntN(5)
	return rewriteBody(func(body []byte) []byte {
		var list ocispec.Index
		if json.Unmarshal(body, &list) != nil || len(list.Manifests) == 0 {
			return body
		}
		last := &list.Manifests[len(list.Manifests)-1]
		switch how {
		case 0:
			list.Manifests = append(list.Manifests, list.Manifests[0])
		case 1:
			slices.Reverse(list.Manifests)
		case 2:
			last.Size++
		case 3:
			last.MediaType = wrongTypes[0]
		case 4:
			last.Size = 0
		}
		damaged, _ := json.Marshal(list) // of what was JSON
		return damaged
	})
}

// typed gives an answer a media type that is not its own.
func typed(media string) testregistry.Fault {
	return func(answer http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			whole := httptest.NewRecorder()
			answer.ServeHTTP(whole, req)
			for key, values := range whole.Header() {
				w.Header()[key] = values
			}
			if whole.Code == http.StatusOK {
				w.Header().Set("Content-Type", media)
			}
			w.WriteHeader(whole.Code)
			_, _ = w.Write(whole.Body.Bytes()) // the client may have gone
		})
	}
}
