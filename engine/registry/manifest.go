package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

const (
	mediaTypeDockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	mediaTypeDockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	mediaTypeArtifact       = "application/vnd.oci.artifact.manifest.v1+json"
	mediaTypeDockerSchema1  = "application/vnd.docker.distribution.manifest.v1"
)

// acceptedTypes ends with any type, as containerd's list does: a registry that has only a
// schema 1 manifest then sends it, and the error can name that instead of "not found".
var acceptedTypes = []string{
	ocispec.MediaTypeImageManifest,
	ocispec.MediaTypeImageIndex,
	mediaTypeDockerManifest,
	mediaTypeDockerList,
	mediaTypeArtifact,
	"*/*",
}

// Resolve returns the descriptor of a tag or digest. It takes one HEAD, and a GET if
// the response to the HEAD is incomplete.
func (r *Repository) Resolve(ctx context.Context, reference string) (ocispec.Descriptor, error) {
	desc, err := r.resolve(ctx, reference)
	return desc, r.fail("resolve", r.fullName(reference), err)
}

// ResolveOnce is Resolve without retries, for a caller that does not need the result.
func (r *Repository) ResolveOnce(ctx context.Context, reference string) (ocispec.Descriptor, error) {
	return r.Resolve(transport.WithoutRetry(ctx), reference)
}

func (r *Repository) resolve(ctx context.Context, reference string) (ocispec.Descriptor, error) {
	u, err := r.manifestURL(reference)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	resp, err := r.http.Get(ctx, http.MethodHead, u, acceptedTypes, http.StatusOK)
	if s := transport.Status(err); s == http.StatusMethodNotAllowed || s == http.StatusNotImplemented {
		desc, _, err := r.fetchManifest(ctx, reference)
		return desc, err
	}
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	resp.Body.Close()
	desc, complete, err := headDescriptor(resp, reference)
	if err != nil || complete {
		return desc, err
	}
	desc, _, err = r.fetchManifest(ctx, reference)
	return desc, err
}

// headDescriptor returns the descriptor in the headers of a response, if it is complete
// (some proxies drop the digest).
func headDescriptor(resp *http.Response, reference string) (desc ocispec.Descriptor, complete bool, err error) {
	desc = ocispec.Descriptor{
		MediaType: mediaType(resp.Header),
		Digest:    digest.Digest(resp.Header.Get("Docker-Content-Digest")),
		Size:      resp.ContentLength,
	}
	if strings.HasPrefix(desc.MediaType, mediaTypeDockerSchema1) {
		return desc, false, ErrSchema1
	}
	if desc.Digest.Validate() != nil || desc.Size <= 0 || !isManifestType(desc.MediaType) {
		return desc, false, nil
	}
	asked := digest.Digest(reference)
	if asked.Validate() == nil && asked.Algorithm() == desc.Digest.Algorithm() && asked != desc.Digest {
		return desc, false, fmt.Errorf("%w: expected %s, got %s", content.ErrMismatchedDigest, asked, desc.Digest)
	}
	return desc, asked.Validate() != nil || asked == desc.Digest, nil
}

// FetchManifest returns the descriptor and the bytes of a tag or digest, in one request.
// It verifies the bytes against the requested digest and the one in the response.
func (r *Repository) FetchManifest(ctx context.Context, reference string) (ocispec.Descriptor, []byte, error) {
	desc, data, err := r.fetchManifest(ctx, reference)
	return desc, data, r.fail("fetch", r.fullName(reference), err)
}

func (r *Repository) fetchManifest(ctx context.Context, reference string) (ocispec.Descriptor, []byte, error) {
	u, err := r.manifestURL(reference)
	if err != nil {
		return ocispec.Descriptor{}, nil, err
	}
	for try := 1; ; try++ {
		resp, data, err := r.http.Read(ctx, u, acceptedTypes, r.host.client.options.MaxManifest)
		if err != nil {
			return ocispec.Descriptor{}, nil, err
		}
		if err := bounds.Enter(ctx, 2*int64(len(data))); err != nil {
			return ocispec.Descriptor{}, nil, err
		}
		desc, err := describeManifest(resp.Header, reference, data)
		if err == nil {
			return desc, data, nil
		}
		bounds.Leave(ctx) // the next request may wait for others
		// Bytes that were damaged in transit are right the second time.
		if try == 2 || !damaged(err) {
			return ocispec.Descriptor{}, nil, err
		}
	}
}

// damaged reports whether a manifest has the wrong bytes, and not just an unsupported
// type.
func damaged(err error) bool {
	return errors.Is(err, content.ErrMismatchedDigest) || isType[*json.SyntaxError](err)
}

// describeManifest returns the descriptor of a manifest. It verifies the digest first:
// nothing else in wrong bytes counts.
func describeManifest(header http.Header, reference string, data []byte) (ocispec.Descriptor, error) {
	desc := ocispec.Descriptor{Size: int64(len(data))}
	for _, d := range []digest.Digest{digest.Digest(reference), digest.Digest(header.Get("Docker-Content-Digest"))} {
		if d == desc.Digest || d.Validate() != nil {
			continue
		}
		if actual := d.Algorithm().FromBytes(data); actual != d {
			return desc, digestError(header, data, fmt.Errorf("%w: expected %s, got %s", content.ErrMismatchedDigest, d, actual))
		}
		if desc.Digest == "" {
			desc.Digest = d
		}
	}
	if desc.Digest == "" {
		desc.Digest = digest.FromBytes(data)
	}
	desc.MediaType = mediaType(header)
	return desc, checkManifest(desc.MediaType, data, digest.Digest(reference) == desc.Digest)
}

// digestError returns err, or ErrSchema1 for a manifest of schema 1: its digest does not
// cover the signatures in its bytes.
func digestError(header http.Header, data []byte, err error) error {
	if kind := checkManifest(mediaType(header), data, true); errors.Is(kind, ErrSchema1) {
		return ErrSchema1
	}
	return err
}

// checkManifest tells a manifest from a web page: some servers have one for every path.
// Bytes with the requested digest are verified, and so not such a page. The walk of
// the graph checks the type of a manifest.
func checkManifest(header string, data []byte, verified bool) error {
	var m struct {
		SchemaVersion int             `json:"schemaVersion"`
		MediaType     string          `json:"mediaType"`
		Manifests     json.RawMessage `json:"manifests"`
		Config        json.RawMessage `json:"config"`
		Layers        json.RawMessage `json:"layers"`
		Blobs         json.RawMessage `json:"blobs"`
	}
	err := json.Unmarshal(data, &m)
	switch {
	case strings.HasPrefix(header, mediaTypeDockerSchema1), m.SchemaVersion == 1:
		return ErrSchema1
	case verified:
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w", ErrNotManifest, err)
	case m.MediaType != "", isManifestType(header), m.Manifests != nil, m.Config != nil, m.Layers != nil, m.Blobs != nil:
		return nil
	}
	return fmt.Errorf("%w: media type %q", ErrNotManifest, header)
}

// mediaType returns the media type of a header without its parameters.
func mediaType(header http.Header) string {
	value := header.Get("Content-Type")
	if media, _, err := mime.ParseMediaType(value); err == nil {
		return media
	}
	return value
}

// isManifestType reports whether a media type may be that of a manifest, and is not one
// that any file server sends.
func isManifestType(media string) bool {
	switch media {
	case "", "application/json", "application/octet-stream", "text/plain", "text/html":
		return false
	}
	return true
}

// HasManifest reports whether the repository has a manifest.
func (r *Repository) HasManifest(ctx context.Context, desc ocispec.Descriptor) (bool, error) {
	u, err := r.manifestURL(desc.Digest.String())
	if err == nil {
		var resp *http.Response
		resp, err = r.http.Get(ctx, http.MethodHead, u, acceptedTypes, http.StatusOK)
		if err == nil {
			resp.Body.Close()
			return true, nil
		}
	}
	if transport.Status(err) == http.StatusNotFound {
		return false, nil
	}
	return false, r.fail("check", r.fullName(desc.Digest.String()), err)
}

// PushManifest pushes a manifest to a tag or its digest. All content that it references
// has to be there.
func (r *Repository) PushManifest(ctx context.Context, desc ocispec.Descriptor, data []byte, reference string) error {
	r.ExpectPush()
	return r.fail("push", r.fullName(reference), r.pushManifest(ctx, desc, data, reference))
}

func (r *Repository) pushManifest(ctx context.Context, desc ocispec.Descriptor, data []byte, reference string) error {
	u, err := r.manifestURL(reference)
	if err != nil {
		return err
	}
	req, err := r.http.Request(ctx, http.MethodPut, u, bytes.NewReader(data))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", desc.MediaType)
	resp, err := r.http.Send(req, http.StatusCreated, http.StatusOK, http.StatusAccepted)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.Header.Get("OCI-Subject") != "" {
		// Only a registry with the referrers API sends this header.
		r.foundAPI()
	}
	stored := digest.Digest(resp.Header.Get("Docker-Content-Digest"))
	if stored.Validate() == nil && stored.Algorithm() == desc.Digest.Algorithm() && stored != desc.Digest {
		return fmt.Errorf("%w: the registry stored %s", content.ErrMismatchedDigest, stored)
	}
	return nil
}
