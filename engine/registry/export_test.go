package registry

import (
	"context"
	"net/http"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

// Mount mounts a blob of another repository of the same registry (from is its path)
// without uploading it, and cancels the upload that the registry opened instead.
func (r *Repository) Mount(ctx context.Context, desc ocispec.Descriptor, from string) (bool, error) {
	s, mounted, err := r.mount(ctx, desc, from)
	if s != nil {
		r.http.Upload(ctx, transport.Upload{Method: http.MethodDelete, URL: s.url, Authorization: s.authorization, Body: http.NoBody}, http.StatusNoContent)
	}
	return mounted, r.fail("mount", r.fullName(desc.Digest.String()), err)
}
