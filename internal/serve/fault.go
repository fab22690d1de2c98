package serve

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store"
)

// fault is an answer that is an error of the distribution spec.
type fault struct {
	status  int
	code    string
	message string
	detail  string // more for the log; may be empty
	stale   bool   // an input was replaced: a new content may have the answer
}

// refusal returns a fault with a formatted message.
func refusal(status int, code, format string, a ...any) *fault {
	return &fault{status: status, code: code, message: fmt.Sprintf(format, a...)}
}

// unknownName answers a request for a repository that no input has.
func unknownName(path string) *fault {
	return refusal(http.StatusNotFound, "NAME_UNKNOWN", "no repository %s", path)
}

// unknownManifest answers a request for a manifest that the repository does not have.
func unknownManifest(reference string) *fault {
	return refusal(http.StatusNotFound, "MANIFEST_UNKNOWN", "no manifest %s", reference)
}

// unknownBlob answers a request for a blob that no input has.
func unknownBlob(d digest.Digest) *fault {
	return refusal(http.StatusNotFound, "BLOB_UNKNOWN", "no blob %s", d)
}

// unavailable returns why something cannot be read now. The reason is for the log: it names
// what the client need not know.
func unavailable(what string, err error) *fault {
	f := refusal(http.StatusServiceUnavailable, "UNAVAILABLE", "%s cannot be read at the moment", what)
	if errors.Is(err, store.ErrRefused) {
		f.status = http.StatusBadGateway
	}
	f.detail, f.stale = err.Error(), errors.Is(err, store.ErrReplaced)
	return f
}
