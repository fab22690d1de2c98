package serve

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/semaphore"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/internal/compact"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// manifest sends a manifest by its tag or digest.
func (s *session) manifest() *fault {
	d, media, f := s.resolve()
	if f != nil {
		return f
	}
	data, release, err := s.content.manifest(s.request.Context(), d)
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
	t := s.content.table
	x, found := t.lookup(s.views, s.reference)
	switch {
	case !found && config.CheckTag(s.reference) != nil: // the spec has no error for it
		return "", "", refusal(http.StatusNotFound, "MANIFEST_UNKNOWN", "%s", config.CheckTag(s.reference))
	case !found:
		return "", "", unknownManifest(s.path + ":" + s.reference)
	case x.clash != 0:
		c := t.clashes[x.clash]
		return "", "", refusal(http.StatusNotFound, "MANIFEST_UNKNOWN", "%s:%s is both %s and %s: ask for one by its full name or its digest", s.path, s.reference, c.one, c.other)
	}
	return compact.Digest(t.sum(x.sum)).Digest(), t.words[x.media], nil
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
		desc.MediaType = s.content.table.media(compact.Of(desc.Digest))
	}
	if desc.MediaType == "" {
		return "", errors.Join(errNoManifest, err)
	}
	return desc.MediaType, nil
}

const (
	// manifestMemory bounds the manifests that are in memory at once.
	manifestMemory = 64 << 20
	// smallManifest is the size up to which manifests are not counted. Most have a few KiB.
	smallManifest = 64 << 10
)

var manifestRoom = semaphore.NewWeighted(manifestMemory)

// manifest returns the bytes of a manifest, hashed, from the first input that has them. The
// caller releases their memory. If an input cannot be reached, no other has the last word.
func (c *content) manifest(ctx context.Context, d digest.Digest) (data []byte, release func(), err error) {
	missing := error(fs.ErrNotExist)
	for _, in := range c.inputs {
		data, release, err := in.manifest(ctx, d)
		switch {
		case err == nil:
			return data, release, nil
		case ctx.Err() != nil:
			return nil, nil, err
		case !errors.Is(err, fs.ErrNotExist) && !store.IsPassing(missing):
			missing = err
		}
	}
	return nil, nil, missing
}

// manifest returns the bytes of a manifest of one input.
func (in *input) manifest(ctx context.Context, d digest.Digest) (data []byte, release func(), err error) {
	blob, err := in.layout.Open(d)
	if err != nil {
		return nil, nil, err
	}
	defer blob.Close()
	if release, err = enter(ctx, min(blob.Size(), oci.MaxManifest)); err != nil {
		return nil, nil, err
	}
	if data, err = store.ReadBlob(in.layout, d, blob); err != nil {
		release()
		return nil, nil, err
	}
	return data, release, nil
}

// enter waits until there is room for a manifest of this size and its decoded form.
func enter(ctx context.Context, size int64) (release func(), err error) {
	if size <= smallManifest {
		return func() {}, nil
	}
	weight := min(3*size, manifestMemory)
	if err := manifestRoom.Acquire(ctx, weight); err != nil {
		return nil, err
	}
	return func() {
		manifestRoom.Release(weight)
		bounds.Collect(size)
	}, nil
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
