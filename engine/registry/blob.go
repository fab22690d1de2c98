package registry

import (
	"context"
	"io"
	"net/http"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

// FetchBlob opens n bytes of a blob from off on. It requests a part by Range, and returns
// transport.ErrNoRange if the registry does not support that. The reader resumes a body that breaks
// off or stalls. The bytes are not verified. The caller must close the reader: it holds a
// slot of the limits.
func (r *Repository) FetchBlob(ctx context.Context, desc ocispec.Descriptor, off, n int64) (io.ReadCloser, error) {
	u, err := r.blobURL(desc)
	if err != nil {
		return nil, r.failBlob(desc, err)
	}
	body, err := r.http.OpenRange(ctx, u, desc.Size, off, n)
	if err != nil {
		return nil, r.failBlob(desc, err)
	}
	return &blob{body, r, desc}, nil
}

func (r *Repository) failBlob(desc ocispec.Descriptor, err error) error {
	return r.fail("fetch", r.fullName(desc.Digest.String()), err)
}

// blob reads a part of a blob, and says in its errors which blob that is.
type blob struct {
	io.ReadCloser
	repository *Repository
	desc       ocispec.Descriptor
}

func (b *blob) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = b.repository.failBlob(b.desc, err)
	}
	return n, err
}

// HasBlob reports whether the repository has a blob of this digest and size.
func (r *Repository) HasBlob(ctx context.Context, desc ocispec.Descriptor) (bool, error) {
	u, err := r.blobURL(desc)
	if err == nil {
		var resp *http.Response
		resp, err = r.http.Get(ctx, http.MethodHead, u, nil, http.StatusOK)
		if err == nil {
			resp.Body.Close()
			return resp.ContentLength < 0 || resp.ContentLength == desc.Size, nil
		}
	}
	if transport.Status(err) == http.StatusNotFound {
		return false, nil
	}
	return false, r.fail("check", r.fullName(desc.Digest.String()), err)
}
