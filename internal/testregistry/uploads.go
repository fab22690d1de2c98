package testregistry

import (
	"bytes"
	"fmt"
	"io"
	"net/http"

	"github.com/opencontainers/go-digest"
)

func (r *Registry) serveUpload(w http.ResponseWriter, req *http.Request, c call) {
	if req.Method == http.MethodPost {
		r.beginUpload(w, req, c)
		return
	}
	sofar, ok := r.uploads.session(c.reference)
	if !ok {
		refuse(w, http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
		return
	}
	switch req.Method {
	case http.MethodPatch:
		r.patchUpload(w, req, c, sofar)
	case http.MethodPut:
		r.finishUpload(w, req, c, sofar)
	case http.MethodGet:
		accept(w, http.StatusNoContent, c.repo, c.reference, sofar.Len())
	case http.MethodDelete:
		r.uploads.end(c.reference)
		w.WriteHeader(http.StatusNoContent)
	default:
		unsupported(w)
	}
}

// beginUpload handles a POST: a mount, a whole blob in the same request, or a new session.
func (r *Registry) beginUpload(w http.ResponseWriter, req *http.Request, c call) {
	query := req.URL.Query()
	if c.mount && !r.options.NoMount {
		d := digest.Digest(query.Get("mount"))
		if data, ok := r.store.blob(query.Get("from"), d); ok {
			r.store.putBlob(c.repo, d, data)
			created(w, c.repo, d)
			return
		}
	}
	session := r.uploads.begin()
	if query.Has("digest") {
		c.reference = session
		r.finishUpload(w, req, c, new(bytes.Buffer))
		return
	}
	accept(w, http.StatusAccepted, c.repo, session, 0)
}

func (r *Registry) patchUpload(w http.ResponseWriter, req *http.Request, c call, sofar *bytes.Buffer) {
	if rng := req.Header.Get("Content-Range"); rng != "" {
		var first, last int
		if _, err := fmt.Sscanf(rng, "%d-%d", &first, &last); err != nil || first != sofar.Len() {
			refuse(w, http.StatusRequestedRangeNotSatisfiable, "BLOB_UPLOAD_INVALID", "the range is not the next one")
			return
		}
	}
	if _, err := io.Copy(sofar, req.Body); err != nil {
		return
	}
	accept(w, http.StatusAccepted, c.repo, c.reference, sofar.Len())
}

// finishUpload ends the session, even on an error.
func (r *Registry) finishUpload(w http.ResponseWriter, req *http.Request, c call, sofar *bytes.Buffer) {
	r.uploads.end(c.reference)
	d, err := digest.Parse(req.URL.Query().Get("digest"))
	if err != nil {
		refuse(w, http.StatusBadRequest, "DIGEST_INVALID", err.Error())
		return
	}
	if req.ContentLength > 0 {
		sofar.Grow(int(req.ContentLength))
	}
	if _, err := io.Copy(sofar, req.Body); err != nil {
		return
	}
	if !r.options.NoDigestCheck && d.Algorithm().FromBytes(sofar.Bytes()) != d {
		refuse(w, http.StatusBadRequest, "DIGEST_INVALID", "the digest is not that of the content")
		return
	}
	r.store.putBlob(c.repo, d, sofar.Bytes())
	created(w, c.repo, d)
}

func accept(w http.ResponseWriter, status int, repo, session string, size int) {
	w.Header().Set("Location", "/v2/"+repo+"/blobs/uploads/"+session)
	w.Header().Set("Docker-Upload-UUID", session)
	w.Header().Set("Range", fmt.Sprintf("0-%d", max(size-1, 0)))
	w.WriteHeader(status)
}

func created(w http.ResponseWriter, repo string, d digest.Digest) {
	w.Header().Set("Location", "/v2/"+repo+"/blobs/"+d.String())
	w.Header().Set("Docker-Content-Digest", d.String())
	w.WriteHeader(http.StatusCreated)
}
