package registry

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

// ProbeRequests is the number of requests of ChecksDigests for a registry.
const ProbeRequests = 2

// probeContent is uploaded under probeDigest, which is not its digest.
var (
	probeContent = []byte("These bytes do not have the digest that they are sent under.\n")
	probeDigest  = digest.FromString("A registry that checks digests refuses to store what is sent under this one.\n")
)

// ChecksDigests reports whether the registry refuses a blob with a wrong digest. The
// first call uploads such a blob of a few bytes (one POST, one PUT); later calls, for
// any repository of the registry, return the same result. It is false if the result is
// uncertain.
func (r *Repository) ChecksDigests(ctx context.Context) bool {
	r.host.probeOnce.Do(func() { r.host.checksDigests = r.rejectsProbe(transport.WithoutRetry(ctx)) })
	return r.host.checksDigests
}

func (r *Repository) rejectsProbe(ctx context.Context) bool {
	r.ExpectPush()
	s, err := r.startUpload(ctx)
	if err != nil {
		return false
	}
	desc := ocispec.Descriptor{Digest: probeDigest, Size: int64(len(probeContent))}
	err = r.put(ctx, desc, s, io.NopCloser(bytes.NewReader(probeContent)))
	return transport.Status(err) == http.StatusBadRequest || transport.Status(err) == http.StatusUnprocessableEntity
}
