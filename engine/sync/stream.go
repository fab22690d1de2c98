package sync

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
)

// resumeTimeout bounds the time that an upload waits until a broken download resumes. Load
// balancers close a connection that is idle for 60 s.
const resumeTimeout = 30 * time.Second

// stream is a blob that is too large to be held: its bytes go from the body of a response
// into the body of a request.
type stream struct {
	source *planSource
	blob   *graph.Blob

	mu      sync.Mutex // guards attempt
	attempt int
}

func (s *stream) Verified() bool { return true }

// Open takes the slots of the whole transfer. It sends no request before the first Read.
func (s *stream) Open(ctx context.Context, r source.Reading) (io.ReadCloser, error) {
	for {
		s.mu.Lock()
		from := s.source.planner.OriginOf(s.blob, s.attempt)
		s.mu.Unlock()
		endpoint, is := from.(*origin.Endpoint)
		if !is {
			return s.openNear(ctx, from, r)
		}
		inner, client := endpoint.Client(ctx)
		relay, release, err := client.Relay(transport.WithResumeTimeout(inner, resumeTimeout), r.To)
		if err == nil {
			body := newWindows(relay, client, s.blob.Descriptor, s.source.memory, release)
			return &outgoing{ReadCloser: s.verified(body, r), from: from, stream: s}, nil
		}
		if inner == ctx || ctx.Err() != nil { // there is no endpoint behind it
			return nil, err
		}
		s.failed(from, err)
	}
}

// openNear opens a blob of a layout.
func (s *stream) openNear(ctx context.Context, from origin.Origin, r source.Reading) (io.ReadCloser, error) {
	body, err := from.Blob(ctx, s.blob.OCI(), 0, s.blob.Size)
	if err != nil {
		return nil, s.failed(from, err)
	}
	return &incoming{s.verified(body, r), from, s}, nil
}

func (s *stream) verified(body io.ReadCloser, r source.Reading) io.ReadCloser {
	return source.Verified(body, r.Heard, s.blob.Descriptor)
}

// failed records why an attempt failed. It returns a *transport.ReopenError if another
// attempt may succeed.
func (s *stream) failed(from origin.Origin, err error) error {
	s.mu.Lock()
	attempt := s.attempt
	s.attempt++
	s.mu.Unlock()
	if endpoint, is := from.(*origin.Endpoint); is {
		err = endpoint.Named(err)
	}
	err = s.source.recordFault(s.blob, from, err)
	if errors.Is(err, transport.ErrResumeTimeout) || s.source.planner.WorthRetry(s.blob, attempt, err) {
		return &transport.ReopenError{Err: err}
	}
	return err
}

// incoming is the verified body of a blob.
type incoming struct {
	io.ReadCloser
	from   origin.Origin
	stream *stream
}

func (i *incoming) Read(p []byte) (int, error) {
	n, err := i.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = i.stream.failed(i.from, err)
	}
	return n, err
}

// outgoing is an incoming body whose bytes come over the network while they are uploaded.
type outgoing incoming

func (o *outgoing) Read(p []byte) (int, error) { return (*incoming)(o).Read(p) }

// Relayed makes o a registry.Relayed.
func (*outgoing) Relayed() {}
