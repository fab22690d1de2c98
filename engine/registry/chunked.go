package registry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

const (
	// chunkSize is the maximum of GHCR. Chunks are only for registries that refuse a
	// whole blob (a proxy with a limit in front of them): ECR stores only the first
	// chunk and reports success.
	chunkSize = 4 << 20
	// minChunkSize is the smallest chunk to try if the registry names no other: no
	// known proxy accepts less (nginx accepts 1 MiB by default).
	minChunkSize = 64 << 10
)

// putChunks uploads a blob in chunks.
func (r *Repository) putChunks(ctx context.Context, desc ocispec.Descriptor, s *session, body io.ReadCloser) error {
	defer body.Close()
	ctx = relayContext(ctx, body)
	c := newChunks(r, s, desc.Size)
	for c.sent < c.size {
		if err := c.next(ctx, body); err != nil {
			return err
		}
	}
	return r.put(ctx, ocispec.Descriptor{Digest: desc.Digest}, s, http.NoBody)
}

// chunks is a chunked upload in progress. The registry reports how many bytes it has
// received, which may be less than were sent.
type chunks struct {
	repository *Repository
	session    *session
	size       int64
	sent       int64
	pieceSize  int64  // of one request
	minPiece   int64  // the smallest pieceSize that the registry accepts
	buf        []byte // nil if a piece is too large for memory
	buffered   int    // bytes of buf that are read and not yet received by the registry
}

// newChunks starts with the size that this registry has accepted before, or with
// chunkSize. If the minimum of the registry is too large for memory, pieces are sent
// as they are read.
func newChunks(r *Repository, s *session, size int64) *chunks {
	c := &chunks{repository: r, session: s, size: size, pieceSize: chunkSize, minPiece: max(minChunkSize, s.minChunk)}
	if learnt := r.host.chunkSize.Load(); learnt > 0 {
		c.pieceSize = learnt
	}
	c.pieceSize = max(c.pieceSize, c.minPiece)
	if c.pieceSize <= chunkSize {
		c.buf = make([]byte, min(c.pieceSize, size))
	}
	return c
}

// next sends a piece, or reduces the piece size.
func (c *chunks) next(ctx context.Context, body io.Reader) error {
	if c.buf == nil {
		n := min(c.pieceSize, c.size-c.sent)
		return c.send(ctx, &exactReader{body, n}, n)
	}
	if err := c.fill(body); err != nil {
		return err
	}
	n := min(c.pieceSize, int64(c.buffered))
	err := c.send(ctx, bytes.NewReader(c.buf[:n]), n)
	if transport.Status(err) == http.StatusRequestEntityTooLarge && n > c.minPiece {
		c.pieceSize = max(n/2, c.minPiece)
		c.repository.host.chunkSize.Store(c.pieceSize)
		return nil
	}
	return err
}

// fill reads from body until the buffer has a whole piece.
func (c *chunks) fill(body io.Reader) error {
	want := int(min(int64(len(c.buf)), c.size-c.sent))
	n, err := io.ReadFull(body, c.buf[c.buffered:max(want, c.buffered)])
	c.buffered += n
	if err != nil && !isType[*transport.ReopenError](err) {
		err = transport.SourceError{Err: err}
	}
	return err
}

// send sends a piece of n bytes.
func (c *chunks) send(ctx context.Context, piece io.Reader, n int64) error {
	resp, err := c.repository.http.Upload(ctx, transport.Upload{
		Method: http.MethodPatch, URL: c.session.url, Authorization: c.session.authorization,
		Header: http.Header{"Content-Range": {fmt.Sprintf("%d-%d", c.sent, c.sent+n-1)}},
		Body:   io.NopCloser(piece), Size: n,
	}, http.StatusAccepted)
	if err != nil {
		return err
	}
	arrived, err := received(resp.Header, c.sent+n)
	if err != nil {
		return err
	}
	if arrived <= c.sent || arrived > c.sent+n || arrived < c.sent+n && c.buf == nil {
		return fmt.Errorf("the registry received %d bytes, %d were sent", arrived, c.sent+n)
	}
	if c.buf != nil {
		c.buffered = copy(c.buf, c.buf[arrived-c.sent:c.buffered])
	}
	c.sent = arrived
	return c.updateLocation(resp)
}

// exactReader reads the next left bytes of a body. It is an error if the body ends
// before.
type exactReader struct {
	body io.Reader
	left int64
}

func (p *exactReader) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	n, err := p.body.Read(b[:min(int64(len(b)), p.left)])
	if p.left -= int64(n); err == io.EOF && p.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// updateLocation takes the session's new URL from a response.
func (c *chunks) updateLocation(resp *http.Response) error {
	location := resp.Header.Get("Location")
	if location == "" {
		return nil
	}
	u, err := transport.ResolveLocation(resp.Request.URL, location)
	if err != nil {
		return err
	}
	if !transport.SameOrigin(u, c.session.url) {
		return fmt.Errorf("the upload moved to another host: %s", u.Host)
	}
	c.session.url = u
	return nil
}

// received returns the number of bytes that a registry has, by its Range header
// ("0-LAST", with or without a unit), or assumed if there is none.
func received(header http.Header, assumed int64) (int64, error) {
	value := strings.TrimPrefix(header.Get("Range"), "bytes=")
	if value == "" {
		return assumed, nil
	}
	_, last, _ := strings.Cut(value, "-")
	n, err := strconv.ParseInt(last, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("malformed Range %q", value)
	}
	return n + 1, nil
}
