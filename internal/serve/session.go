package serve

import (
	"encoding/json"
	"net/http"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/compact"
	"github.com/oras-mirror/oras-mirror/internal/serve/content"
)

// session is one request that is answered from one snapshot.
type session struct {
	*response
	snapshot *content.Snapshot
	call
	request    *http.Request
	repository *content.Repository // that the path names
}

// digest parses a digest of the request.
func (s *session) digest() (digest.Digest, *fault) {
	d := digest.Digest(s.reference)
	if compact.Of(d) == "" {
		return "", refusal(http.StatusBadRequest, "DIGEST_INVALID", "invalid digest %.200q", s.reference)
	}
	return d, nil
}

// json sends a document.
func (s *session) json(mediaType string, document any) *fault {
	data, err := json.Marshal(document)
	if err != nil {
		return &fault{status: http.StatusInternalServerError, code: "UNKNOWN", message: "internal error", detail: err.Error()}
	}
	s.Header().Set("Content-Type", mediaType)
	s.send(append(data, '\n'))
	return nil
}
