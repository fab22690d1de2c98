package restore

import (
	"context"
	"io"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// target takes blobs and manifests: the repository of a registry, or a stand-in that
// counts them. Calls may be concurrent.
type target interface {
	pushBlob(ctx context.Context, b content.Descriptor, from body) error
	// mountBlob mounts a blob from another repository of the registry, or pushes it.
	mountBlob(ctx context.Context, b content.Descriptor, path string, from body) (mounted bool, err error)
	// pushManifest reads a manifest and pushes it under a tag, or under its digest.
	pushManifest(ctx context.Context, d content.Descriptor, read func(context.Context) ([]byte, error), reference string) error
	// offerBlob puts a blob that the repository has among its manifests, too. A registry
	// may refuse that, in whatever words.
	offerBlob(ctx context.Context, b content.Descriptor) error
	// listReferrers completes a list of referrers. describe returns one of them as a list has
	// it; push pushes one once more.
	listReferrers(ctx context.Context, l list, describe describer, push func(ocispec.Descriptor) error) error
}

// describer adds to a descriptor what the manifest says of itself.
type describer func(context.Context, ocispec.Descriptor) (ocispec.Descriptor, error)

// body opens the bytes of a blob on their way to a target. With probes the target is asked
// first whether it checks digests: then it is trusted to do so.
type body struct {
	open   func(context.Context, source.Reading) (io.ReadCloser, error)
	probes bool

	requests int  // to the source, each time that it is opened
	shared   bool // they are sent once for all targets
}

// repository is the target that is pushed to.
type repository struct {
	*registry.Repository
	pushing *bounds.Lane // of the manifests
}

// opener returns a function that opens the bytes from the start each time.
func (r *repository) opener(ctx context.Context, from body) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		return from.open(ctx, source.Reading{Trusted: from.probes && r.ChecksDigests(ctx), To: r.Repository})
	}
}

func (r *repository) pushBlob(ctx context.Context, b content.Descriptor, from body) error {
	return r.PushBlob(ctx, b.OCI(), r.opener(ctx, from))
}

func (r *repository) mountBlob(ctx context.Context, b content.Descriptor, path string, from body) (bool, error) {
	return r.MountOrPush(ctx, b.OCI(), path, r.opener(ctx, from))
}

func (r *repository) pushManifest(ctx context.Context, d content.Descriptor, read func(context.Context) ([]byte, error), reference string) error {
	reading, done := r.pushing.Begin(ctx)
	defer done()
	data, err := read(reading)
	if err != nil {
		return err
	}
	return r.PushManifest(ctx, d.OCI(), data, reference)
}

func (r *repository) offerBlob(ctx context.Context, b content.Descriptor) error {
	data, err := readBlob(ctx, r.Repository, b)
	if err != nil {
		return err
	}
	err = r.PushManifest(ctx, b.OCI(), data, b.Digest.String())
	if transport.Status(err) != 0 {
		return nil
	}
	return err
}

func (r *repository) listReferrers(ctx context.Context, l list, describe describer, push func(ocispec.Descriptor) error) error {
	return r.ListReferrers(ctx, l.subject, l.descriptors(), push, func(desc ocispec.Descriptor) (ocispec.Descriptor, error) {
		reading, done := r.pushing.Begin(ctx)
		defer done()
		return describe(reading, desc)
	})
}

// fetchVerified opens a blob of a registry to copy it to another repository.
func fetchVerified(ctx context.Context, repo *registry.Repository, b content.Descriptor, heard func(int64)) (io.ReadCloser, error) {
	body, err := repo.FetchBlob(ctx, b.OCI(), 0, b.Size)
	if err != nil {
		return nil, err
	}
	return source.Verified(body, heard, b), nil
}

// readBlob reads a blob of a repository whole, and verifies it.
func readBlob(ctx context.Context, repo *registry.Repository, b content.Descriptor) ([]byte, error) {
	body, err := fetchVerified(ctx, repo, b, func(int64) {})
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}
