package testregistry

import (
	_ "crypto/sha512" // digest.Digest.Validate asks for it
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
)

func (r *Registry) serveManifest(w http.ResponseWriter, req *http.Request, c call) {
	switch req.Method {
	case http.MethodGet, http.MethodHead:
		r.getManifest(w, req, c)
	case http.MethodPut:
		r.putManifest(w, req, c)
	case http.MethodDelete:
		r.deleteManifest(w, c)
	default:
		unsupported(w)
	}
}

func (r *Registry) getManifest(w http.ResponseWriter, req *http.Request, c call) {
	d, m, ok := r.store.manifest(c.repo, c.reference)
	if !ok {
		refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown")
		return
	}
	header := w.Header()
	header.Set("Content-Type", m.mediaType)
	header.Set("Content-Length", strconv.Itoa(len(m.data)))
	if req.Method == http.MethodGet || !r.options.NoDigestHeader {
		header.Set("Docker-Content-Digest", d.String())
	}
	w.WriteHeader(http.StatusOK)
	if req.Method == http.MethodGet {
		w.Write(m.data)
	}
}

func (r *Registry) putManifest(w http.ResponseWriter, req *http.Request, c call) {
	data, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	m := manifest{mediaType: req.Header.Get("Content-Type"), data: data}
	d, tag := digest.FromBytes(data), c.reference
	if strings.Contains(c.reference, ":") {
		d, tag = digest.Digest(c.reference), ""
	}
	if d.Validate() != nil || d.Algorithm().FromBytes(data) != d {
		refuse(w, http.StatusBadRequest, "DIGEST_INVALID", "the digest is not that of the manifest")
		return
	}
	g := parseGraph(data)
	if code, message := r.objection(c.repo, m.mediaType, g); code != "" {
		status := http.StatusBadRequest
		if code == "MANIFEST_UNKNOWN" {
			status = http.StatusNotFound
		}
		refuse(w, status, code, message)
		return
	}
	r.store.putManifest(c.repo, tag, d, m)
	w.Header().Set("Docker-Content-Digest", d.String())
	w.Header().Set("Location", "/v2/"+c.repo+"/manifests/"+d.String())
	if g.Subject != nil && !r.options.NoReferrersAPI {
		w.Header().Set("OCI-Subject", g.Subject.Digest.String())
	}
	w.WriteHeader(http.StatusCreated)
}

// objection returns the error for a manifest that is refused, and an empty code otherwise.
func (r *Registry) objection(repo, mediaType string, g graph) (code, message string) {
	if mediaType == "" || g.MediaType != "" && g.MediaType != mediaType {
		return "MANIFEST_INVALID", "Content-Type is not the manifest's media type"
	}
	for _, blob := range g.blobs() {
		if _, ok := r.store.blob(repo, blob.Digest); !ok {
			return "MANIFEST_BLOB_UNKNOWN", "blob unknown: " + blob.Digest.String()
		}
	}
	if r.options.RejectSparse {
		for _, child := range g.Manifests {
			if !r.store.has(repo, child.Digest) {
				return "MANIFEST_BLOB_UNKNOWN", "manifest unknown: " + child.Digest.String()
			}
		}
	}
	if r.options.RequireSubject && g.Subject != nil {
		if _, _, ok := r.store.manifest(repo, g.Subject.Digest.String()); !ok {
			return "MANIFEST_UNKNOWN", "subject unknown: " + g.Subject.Digest.String()
		}
	}
	return "", ""
}

func (r *Registry) deleteManifest(w http.ResponseWriter, c call) {
	d, _, ok := r.store.manifest(c.repo, c.reference)
	switch {
	case r.options.NoDelete:
		unsupported(w)
	case !ok:
		refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown")
	case d.String() == c.reference:
		r.store.remove(c.repo, d)
		w.WriteHeader(http.StatusAccepted)
	default:
		r.store.untag(c.repo, c.reference)
		w.WriteHeader(http.StatusAccepted)
	}
}
