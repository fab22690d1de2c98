package sync

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/headway"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/restore"
)

// patience is how long an upload waits for a download that broke to go on. Load balancers
// close a connection that is idle for 60 s.
const patience = 30 * time.Second

// stream is a blob that is too large to be held: it goes from the body of a response into
// the body of a request.
type stream struct {
	source *source
	blob   *graph.Blob

	mu      sync.Mutex // guards attempt
	attempt int
}

func (s *stream) Verified() bool { return true }

// Open takes the slots of the whole transfer. It asks for nothing before the first Read.
func (s *stream) Open(ctx context.Context, r restore.Reading) (io.ReadCloser, error) {
	s.mu.Lock()
	from := s.source.planner.OriginOf(s.blob, s.attempt)
	s.mu.Unlock()
	remote, is := from.(*graph.Remote)
	if !is {
		return s.openNear(ctx, from, r)
	}
	ctx, release, err := remote.Client().Relay(registry.WithPatience(ctx, patience), r.To)
	if err != nil {
		return nil, err
	}
	body := newWindows(ctx, remote.Client(), s.blob.Descriptor, s.source.memory, release)
	return &outgoing{ReadCloser: s.verified(body, r), from: from, stream: s}, nil
}

// openNear opens a blob of a layout.
func (s *stream) openNear(ctx context.Context, from graph.Origin, r restore.Reading) (io.ReadCloser, error) {
	body, err := from.Blob(ctx, s.blob.OCI(), 0, s.blob.Size)
	if err != nil {
		return nil, s.failed(from, err)
	}
	return &incoming{s.verified(body, r), from, s}, nil
}

func (s *stream) verified(body io.ReadCloser, r restore.Reading) io.ReadCloser {
	return restore.Verified(graph.Part{Reader: &headway.Counted{Reader: body, Heard: r.Heard}, Closer: body}, s.blob.Descriptor)
}

// failed notes why an attempt failed. The error is a *registry.ReopenError if another one
// is worth while.
func (s *stream) failed(from graph.Origin, err error) error {
	s.mu.Lock()
	attempt := s.attempt
	s.attempt++
	s.mu.Unlock()
	err = s.source.failed(s.blob, from, err)
	if errors.Is(err, registry.ErrPatience) || s.source.planner.WorthRetry(s.blob, attempt, err) {
		return &registry.ReopenError{Err: err}
	}
	return err
}

// incoming is a blob that is read, verified.
type incoming struct {
	io.ReadCloser
	from   graph.Origin
	stream *stream
}

func (i *incoming) Read(p []byte) (int, error) {
	n, err := i.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = i.stream.failed(i.from, err)
	}
	return n, err
}

// outgoing is a blob whose bytes come from a registry while they go to another.
type outgoing incoming

func (o *outgoing) Read(p []byte) (int, error) { return (*incoming)(o).Read(p) }

// Relayed marks it for the client of the target.
func (*outgoing) Relayed() {}
