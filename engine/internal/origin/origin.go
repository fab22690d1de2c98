// Package origin reads artifacts from the places that have them: a repository of a registry
// with its mirrors, a layout on disk, a chart that is packed here.
package origin

import (
	"context"
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/cosign"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Origin is a source of artifacts: a repository of a registry, a layout on disk, or a
// chart that is packed here. Calls may be concurrent. Errors carry operation and reference.
type Origin interface {
	// Queue names the queue whose limit the origin's requests count against.
	Queue() string
	// Repository is the full name, registry/path, or "" where there is none.
	Repository() string
	// Repositories says where a referrer belongs; nil: wherever its subject does.
	Repositories(referrer digest.Digest) []string
	// Resolve returns the descriptor of a tag or a digest.
	Resolve(ctx context.Context, ref config.Reference) (ocispec.Descriptor, error)
	// Open resolves and fetches in one request.
	Open(ctx context.Context, ref config.Reference) (ocispec.Descriptor, []byte, error)
	// Manifest reads a manifest, verified.
	Manifest(ctx context.Context, desc ocispec.Descriptor) ([]byte, error)
	// Child reads the manifest that an index names; nil if it is a blob.
	Child(ctx context.Context, desc ocispec.Descriptor) ([]byte, error)
	// Referrers lists the manifests that refer to a subject.
	Referrers(ctx context.Context, subject ocispec.Descriptor) ([]ocispec.Descriptor, error)
	// Attached lists the tags under which cosign keeps the signatures and other documents
	// of a manifest.
	Attached(ctx context.Context, subject Attachee) ([]config.Reference, error)
	// Owners lists the artifacts of a repository that are a manifest, or have it below them.
	Owners(ctx context.Context, repository string, subject digest.Digest) ([]Owner, error)
	// HasBlob reports whether it has a blob of that size.
	HasBlob(ctx context.Context, desc ocispec.Descriptor) (bool, error)
	// Blob reads n bytes at off; transport.ErrNoRange if it cannot read a part.
	Blob(ctx context.Context, desc ocispec.Descriptor, off, n int64) (io.ReadCloser, error)
}

// Attachee is a manifest to which cosign may have attached others.
type Attachee struct {
	digest.Digest
	Repository string // of the source; "" unless a policy checks it
	Kinds      []cosign.Kind
	Ask        bool // requests may be made to find them
}

// Owner is an artifact that has a manifest.
type Owner struct {
	Desc      ocispec.Descriptor
	Platforms []config.Platform // those that a layout has of it; nil: all that are selected
}

// Read reads the manifest of a node; nil if it is a blob that an index names.
func Read(ctx context.Context, o Origin, n oci.Node) ([]byte, error) {
	if n.Role == oci.Child {
		return o.Child(ctx, n.Descriptor)
	}
	return o.Manifest(ctx, n.Descriptor)
}
