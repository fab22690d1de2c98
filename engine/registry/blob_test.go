package registry

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/engine/registry/internal/registrytest"
)

func TestHasBlob(t *testing.T) {
	data := randomBytes(1000)
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
		if req.Method != http.MethodHead {
			t.Errorf("%s", req.Method)
		}
		if strings.HasSuffix(req.URL.Path, describeBytes(data).Digest.String()) {
			w.Header().Set("Content-Length", "1000")
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
	has, err := r.HasBlob(t.Context(), describeBytes(data))
	noError(t, err)
	equal(t, "has", has, true)
	has, err = r.HasBlob(t.Context(), describeBytes(data[:5]))
	noError(t, err)
	equal(t, "has", has, false)
}

// TestBlobThatKeepsBreakingIsNamed in the error of its reader.
func TestBlobThatKeepsBreakingIsNamed(t *testing.T) {
	data := randomBytes(100)
	s := &registrytest.BlobServer{Data: data, Cut: func(int32) int { return 1 }}
	r, _ := repository(t, s.Serve)
	body, err := r.FetchBlob(t.Context(), describeBytes(data), 0, 100)
	noError(t, err)
	defer body.Close()
	_, err = io.ReadAll(body)
	var e *Error
	if !errors.As(err, &e) || e.Op != "fetch" || e.Reference != r.fullName(describeBytes(data).Digest.String()) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("got %v", err)
	}
}
