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
)

// chunkSize is the most that GHCR takes. Chunks are only for registries that
// refuse a whole blob (a proxy with a limit in front of them): ECR keeps the
// first one and calls that a success.
const chunkSize = 4 << 20

// putChunks uploads a blob piece by piece.
func (r *Repository) putChunks(ctx context.Context, desc ocispec.Descriptor, s *session, body io.ReadCloser) error {
	defer body.Close()
	ctx = placeFor(ctx, body)
	c := &chunks{repository: r, session: s, size: desc.Size, buf: make([]byte, min(max(chunkSize, s.minChunk), desc.Size))}
	for c.sent < desc.Size {
		if err := c.fill(body); err != nil {
			return err
		}
		if err := c.send(ctx); err != nil {
			return err
		}
	}
	return r.put(ctx, ocispec.Descriptor{Digest: desc.Digest}, s, http.NoBody)
}

// chunks is an upload under way. The registry says how much of it has arrived,
// which may be less than was sent.
type chunks struct {
	repository *Repository
	session    *session
	size       int64
	sent       int64
	buf        []byte
	held       int // bytes of buf that are read and have not arrived
}

func (c *chunks) fill(body io.Reader) error {
	want := int(min(int64(len(c.buf)), c.size-c.sent))
	n, err := io.ReadFull(body, c.buf[c.held:want])
	c.held += n
	if err != nil {
		return sourceError{err}
	}
	return nil
}

func (c *chunks) send(ctx context.Context) error {
	header := http.Header{"Content-Range": {fmt.Sprintf("%d-%d", c.sent, c.sent+int64(c.held)-1)}}
	piece, released := sendable(io.NopCloser(bytes.NewReader(c.buf[:c.held])))
	defer released()
	resp, err := c.repository.send(ctx, http.MethodPatch, c.session.url, c.session, piece, int64(c.held), header)
	if err != nil {
		return err
	}
	if err := expect(resp, http.StatusAccepted); err != nil {
		return c.repository.explain(err)
	}
	resp.Body.Close()
	released() // buf is written to below
	arrived, err := arrived(resp.Header, c.sent+int64(c.held))
	if err != nil {
		return err
	}
	if arrived <= c.sent || arrived > c.sent+int64(c.held) {
		return fmt.Errorf("the registry has %d bytes after %d were sent", arrived, c.sent+int64(c.held))
	}
	c.held = copy(c.buf, c.buf[arrived-c.sent:c.held])
	c.sent = arrived
	return c.follow(resp)
}

// follow takes over the session's new place.
func (c *chunks) follow(resp *http.Response) error {
	location := resp.Header.Get("Location")
	if location == "" {
		return nil
	}
	u, err := relocate(resp.Request.URL, location)
	if err != nil {
		return err
	}
	if !sameOrigin(u, c.session.url) {
		return fmt.Errorf("the upload moved to another host: %s", u.Host)
	}
	c.session.url = u
	return nil
}

// arrived reads how many bytes a registry has from its Range header ("0-LAST",
// with or without a unit); assumed is what holds without one.
func arrived(header http.Header, assumed int64) (int64, error) {
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
