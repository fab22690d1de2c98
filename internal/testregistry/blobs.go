package testregistry

import (
	"bytes"
	"net/http"
	"strconv"
	"time"

	"github.com/opencontainers/go-digest"
)

func (r *Registry) serveBlob(w http.ResponseWriter, req *http.Request, c call) {
	d := digest.Digest(c.reference)
	data, ok := r.store.blob(c.repo, d)
	switch {
	case !ok:
		refuse(w, http.StatusNotFound, "BLOB_UNKNOWN", "blob unknown to registry")
	case req.Method == http.MethodGet || req.Method == http.MethodHead:
		r.getBlob(w, req, d, data)
	case req.Method == http.MethodDelete && !r.options.NoDelete:
		r.store.remove(c.repo, d)
		w.WriteHeader(http.StatusAccepted)
	default:
		unsupported(w)
	}
}

// getBlob leaves ranges, including open ones and If-Range, to net/http.
func (r *Registry) getBlob(w http.ResponseWriter, req *http.Request, d digest.Digest, data []byte) {
	header := w.Header()
	header.Set("Content-Type", "application/octet-stream")
	header.Set("Docker-Content-Digest", d.String())
	if !r.options.NoRange {
		header.Set("Etag", strconv.Quote(d.String()))
		http.ServeContent(w, req, "", time.Time{}, bytes.NewReader(data))
		return
	}
	header.Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(http.StatusOK)
	if req.Method == http.MethodGet {
		w.Write(data)
	}
}
