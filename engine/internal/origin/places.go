package origin

import (
	"context"
	"io"
	"sync/atomic"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/registry"
)

// Place reads a blob of a Remote from one of its endpoints. It asks another only where that
// one fails, and stays there.
type Place struct {
	*Remote
	at atomic.Int32 // the endpoint
}

// Places returns the number of places of a blob at an origin.
func Places(o Origin) int {
	if r, is := o.(*Remote); is {
		return r.repo.Len()
	}
	return 1
}

// PlaceOf returns the i-th place of a blob at an origin: the origin itself if it has only one.
func PlaceOf(o Origin, i int) Origin {
	r, is := o.(*Remote)
	if !is {
		return o
	}
	p := &Place{Remote: r}
	p.at.Store(int32(i))
	return p
}

// Blob reads from the endpoint that the last part came from.
func (p *Place) Blob(ctx context.Context, desc ocispec.Descriptor, off, n int64) (io.ReadCloser, error) {
	body, at, err := p.repo.FetchBlob(ctx, desc, off, n, int(p.at.Load()))
	if err == nil {
		p.at.Store(int32(at))
	}
	return body, err
}

// Client returns the endpoint to read from, and a context for its requests.
func (p *Place) Client(ctx context.Context) (context.Context, *registry.Repository) {
	at := p.repo.Ready(int(p.at.Load()))
	p.at.Store(int32(at))
	return p.repo.At(ctx, at)
}

// Named makes an error of a client one of the repository itself.
func (p *Place) Named(err error) error { return p.repo.Named(int(p.at.Load()), err) }

// OnDisk reports whether an origin needs no network: a layout, or bytes in memory.
func OnDisk(o Origin) bool {
	switch o.(type) {
	case *Remote, *Place, *Made:
		return false
	}
	return true
}
