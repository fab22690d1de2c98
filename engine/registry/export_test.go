package registry

import (
	"context"
	"net/http"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Mount mounts a blob of another repository of the same registry (from is its path)
// without uploading it, and cancels the upload that the registry opened instead.
func (r *Repository) Mount(ctx context.Context, desc ocispec.Descriptor, from string) (bool, error) {
	s, mounted, err := r.mount(ctx, desc, from)
	if s != nil {
		resp, err := r.send(ctx, http.MethodDelete, s.url, s, http.NoBody, 0, nil)
		if err == nil {
			resp.Body.Close()
		}
	}
	return mounted, r.fail("mount", r.fullName(desc.Digest.String()), err)
}
