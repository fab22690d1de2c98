package origin

import (
	"context"
	"io"
	"sync/atomic"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/registry"
)

// Endpoint is a Remote that reads a blob from one of its endpoints, a mirror or the repository
// itself. It asks another only where that one fails, and stays there.
type Endpoint struct {
	*Remote
	at atomic.Int32 // the endpoint
}

// CountEndpoints returns the number of endpoints of an origin that may have a blob.
func CountEndpoints(o Origin) int {
	if r, is := o.(*Remote); is {
		return r.repo.Len()
	}
	return 1
}

// EndpointOf returns the i-th endpoint of an origin: the origin itself if it has only one.
func EndpointOf(o Origin, i int) Origin {
	r, is := o.(*Remote)
	if !is {
		return o
	}
	e := &Endpoint{Remote: r}
	e.at.Store(int32(i))
	return e
}

// Blob reads from the endpoint that the last part came from.
func (e *Endpoint) Blob(ctx context.Context, desc ocispec.Descriptor, off, n int64) (io.ReadCloser, error) {
	body, at, err := e.repo.FetchBlob(ctx, desc, off, n, int(e.at.Load()))
	if err == nil {
		e.at.Store(int32(at))
	}
	return body, err
}

// Client returns the endpoint to read from, and a context for its requests.
func (e *Endpoint) Client(ctx context.Context) (context.Context, *registry.Repository) {
	at := e.repo.Ready(int(e.at.Load()))
	e.at.Store(int32(at))
	return e.repo.At(ctx, at)
}

// Named makes an error of a client one of the repository itself.
func (e *Endpoint) Named(err error) error { return e.repo.Named(int(e.at.Load()), err) }

// OnDisk reports whether an origin needs no network: a layout, or bytes in memory.
func OnDisk(o Origin) bool {
	switch o.(type) {
	case *Remote, *Endpoint, *Made:
		return false
	}
	return true
}
