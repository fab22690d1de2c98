package graph

import (
	"context"
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/cosign"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Origin is a source of artifacts: a repository of a registry, or a layout
// on disk. Calls may be concurrent. Errors carry operation and reference.
type Origin interface {
	// Queue names the queue whose limit the origin's requests count against.
	Queue() string
	// Repository is the full name, registry/path, or "" where there is none.
	Repository() string
	// Repositories says where a referrer belongs; nil: wherever its subject does.
	Repositories(referrer digest.Digest) []string
	Resolve(ctx context.Context, ref config.Reference) (ocispec.Descriptor, error)
	// open resolves and fetches in one request.
	open(ctx context.Context, ref config.Reference) (ocispec.Descriptor, []byte, error)
	Manifest(ctx context.Context, desc ocispec.Descriptor) ([]byte, error)
	// Child reads the manifest that an index names; nil if it is a blob.
	Child(ctx context.Context, desc ocispec.Descriptor) ([]byte, error)
	Referrers(ctx context.Context, subject ocispec.Descriptor) ([]ocispec.Descriptor, error)
	// attached lists the tags under which cosign keeps the signatures and other documents
	// of a manifest.
	attached(ctx context.Context, subject attachee) ([]config.Reference, error)
	// owners lists the artifacts of a repository that are a manifest, or have it below them.
	owners(ctx context.Context, repository string, subject digest.Digest) ([]owner, error)
	// HasBlob reports whether it has a blob of that size.
	HasBlob(ctx context.Context, desc ocispec.Descriptor) (bool, error)
	// Blob reads n bytes at off; transport.ErrNoRange if it cannot read a part.
	Blob(ctx context.Context, desc ocispec.Descriptor, off, n int64) (io.ReadCloser, error)
}

// attachee is a manifest to which cosign may have attached others.
type attachee struct {
	digest.Digest
	repository string // of the source; "" unless a policy checks it
	kinds      []cosign.Kind
	ask        bool // requests may be made to find them
}

// owner is an artifact that has a manifest.
type owner struct {
	desc      ocispec.Descriptor
	platforms []config.Platform // those that a layout has of it; nil: all that are selected
}

// Read reads the manifest of a node; nil if it is a blob that an index names.
func Read(ctx context.Context, o Origin, n oci.Node) ([]byte, error) {
	if n.Role == oci.Child {
		return o.Child(ctx, n.Descriptor)
	}
	return o.Manifest(ctx, n.Descriptor)
}
