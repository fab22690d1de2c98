package serve

import (
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/serve/content"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// manifest sends a manifest by its tag or digest.
func (s *session) manifest() *fault {
	d, media, f := s.resolve()
	if f != nil {
		return f
	}
	data, release, err := s.snapshot.Manifest(s.request.Context(), d)
	if store.IsPassing(err) {
		return unavailable("the manifest "+s.reference, err)
	}
	if err != nil {
		f := unknownManifest(s.reference)
		if !errors.Is(err, fs.ErrNotExist) {
			f.message, f.detail = "the manifest "+s.reference+" is damaged", err.Error()
		}
		return f
	}
	defer release()
	desc := ocispec.Descriptor{MediaType: media, Digest: d, Size: int64(len(data))}
	if desc.MediaType, err = s.mediaType(desc, data); err != nil {
		return &fault{status: http.StatusNotFound, code: "MANIFEST_UNKNOWN", message: s.reference + " is not a manifest", detail: err.Error()}
	}
	s.Header().Set("Content-Type", desc.MediaType)
	s.Header().Set("Docker-Content-Digest", d.String())
	s.Header().Set("ETag", etag(d))
	if s.isKnown(d) {
		s.WriteHeader(http.StatusNotModified)
		return nil
	}
	s.send(data)
	return nil
}

// resolve returns the digest that the request names, and the media type in index.json; ""
// where the request has a digest.
func (s *session) resolve() (d digest.Digest, media string, f *fault) {
	if strings.Contains(s.reference, ":") {
		d, f = s.digest()
		return d, "", f
	}
	a, found := s.repository.Find(s.reference)
	switch {
	case !found && config.CheckTag(s.reference) != nil: // the spec has no error for it
		return "", "", refusal(http.StatusNotFound, "MANIFEST_UNKNOWN", "%s", config.CheckTag(s.reference))
	case !found:
		return "", "", unknownManifest(s.path + ":" + s.reference)
	case a.Clash != (content.Clash{}):
		return "", "", refusal(http.StatusNotFound, "MANIFEST_UNKNOWN", "%s:%s is both %s and %s: ask for one by its full name or its digest", s.path, s.reference, a.Clash.One, a.Clash.Other)
	}
	return a.Digest, a.MediaType, nil
}

// errNoManifest reports bytes that are not a manifest.
var errNoManifest = errors.New("its bytes are those of a blob")

// mediaType returns the type of a manifest: its bytes decide. Only a manifest of an unknown
// kind needs that of index.json.
func (s *session) mediaType(desc ocispec.Descriptor, data []byte) (string, error) {
	m, err := oci.ParseManifest(desc, data)
	switch {
	case err == nil && m.IsKnown():
		return m.MediaType, nil
	case desc.MediaType == "":
		desc.MediaType = s.snapshot.MediaType(desc.Digest)
	}
	if desc.MediaType == "" {
		return "", errors.Join(errNoManifest, err)
	}
	return desc.MediaType, nil
}

func etag(d digest.Digest) string { return `"` + d.String() + `"` }

// isKnown reports whether the client has the content of a digest already.
func (s *session) isKnown(d digest.Digest) bool {
	for one := range strings.SplitSeq(s.request.Header.Get("If-None-Match"), ",") {
		if one = strings.TrimPrefix(strings.TrimSpace(one), "W/"); one == etag(d) || one == "*" {
			return true
		}
	}
	return false
}
