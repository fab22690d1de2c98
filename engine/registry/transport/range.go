package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"oras.land/oras-go/v2/content"
)

// progressSize is the number of bytes that a download has to deliver between two breaks for
// the first not to count.
const progressSize = 1 << 20

// OpenRange opens n bytes of the file at u from off on. size is that of the whole file. It
// requests a part by Range, and returns ErrNoRange if the host does not support that. The reader
// resumes a body that breaks off or stalls. The bytes must be the same at each request; they are
// not verified. The caller must close the reader: it holds a slot of the limits.
func (c *Client) OpenRange(ctx context.Context, u *url.URL, size, off, n int64) (io.ReadCloser, error) {
	if off < 0 || n < 0 || off+n > size {
		return nil, fmt.Errorf("invalid range: bytes %d to %d of a blob of %d bytes", off, off+n, size)
	}
	p := &part{ctx: Bulk(ctx), client: c, url: u, size: size, off: off, end: off + n, lastProgress: off}
	p.since = c.host.options.Retry.Now()
	ctx, done := limitResume(p.ctx)
	body, skip, err := p.open(ctx)
	done()
	err = resumeError(ctx, err)
	if err == nil && skip > 0 {
		body.Close()
		err = ErrNoRange
	}
	if err != nil {
		return nil, err
	}
	p.body = body
	return p, nil
}

// part reads a part of a file, with as many requests as it takes.
type part struct {
	ctx      context.Context
	client   *Client
	url      *url.URL
	size     int64 // of the whole file
	off, end int64 // the next byte, and the one after the last
	body     io.ReadCloser
	finished bool
	noRange  bool // the host does not support Range: request the whole file

	breaks       int       // since progress was made
	lastProgress int64     // off at that time
	since        time.Time // that time
}

func (p *part) Read(b []byte) (int, error) {
	for p.off < p.end {
		if len(b) == 0 {
			return 0, nil
		}
		n, err := p.body.Read(b[:min(int64(len(b)), p.end-p.off)])
		p.off += int64(n)
		if n > 0 {
			return n, nil
		}
		if err != nil {
			if err := p.resume(err); err != nil {
				return 0, err
			}
		}
	}
	return 0, p.finish()
}

// finish reads to the end of the body, without which its connection could not be reused. It
// is an error if anything follows a whole file.
func (p *part) finish() error {
	if !p.finished {
		p.finished = true
		if n, _ := p.body.Read(make([]byte, 1)); n > 0 && p.end == p.size {
			return content.ErrTrailingData
		}
	}
	return io.EOF
}

func (p *part) Close() error { return p.body.Close() }

// resume reopens a body that broke with err where it stopped.
func (p *part) resume(err error) error {
	ctx, done := limitResume(p.ctx)
	defer done()
	for {
		p.body.Close() // first, so that nothing waits while it holds a slot
		if p.ctx.Err() != nil {
			return p.ctx.Err()
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		health := p.client.host.health
		if p.off-p.lastProgress >= progressSize {
			p.breaks, p.lastProgress, p.since = 0, p.off, health.retry.Now()
		}
		p.breaks++
		if err := health.wait(ctx, p.breaks, p.since, err); err != nil {
			return resumeError(ctx, err)
		}
		body, skip, openErr := p.open(ctx)
		if errors.Is(openErr, ErrNoRange) {
			p.noRange = true
			body, skip, openErr = p.open(ctx)
		}
		if openErr != nil {
			p.body = http.NoBody
			openErr = resumeError(ctx, openErr)
			return fmt.Errorf("%w (after %d bytes: %w)", openErr, p.off, err)
		}
		p.body = body
		// The bytes are the same each time: skip those that were read.
		if _, err = io.CopyN(io.Discard, body, skip); err == nil {
			return nil
		}
	}
}

// open requests the missing bytes. skip is the number of bytes in the body before them: a
// host that ignores Range sends the whole file.
func (p *part) open(ctx context.Context) (body io.ReadCloser, skip int64, err error) {
	req, err := p.client.Request(ctx, http.MethodGet, p.url, nil)
	if err != nil {
		return nil, 0, err
	}
	if p.off == p.end && p.size > 0 {
		return http.NoBody, 0, nil
	}
	ranged := !p.noRange && (p.off > 0 || p.end < p.size)
	if ranged {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", p.off, p.end-1))
	}
	resp, err := p.client.do(req)
	if err != nil {
		return nil, 0, err
	}
	skip, err = p.checkResponse(resp, ranged)
	return resp.Body, skip, err
}

// checkResponse checks that a response has the requested bytes, and closes it if not. A
// host that responds to a Range with anything but that part or the whole file counts as
// one without Range.
func (p *part) checkResponse(resp *http.Response, ranged bool) (skip int64, err error) {
	if ranged && resp.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		return 0, errors.Join(ErrNoRange, responseError(resp))
	}
	if err := expect(resp, http.StatusOK, http.StatusPartialContent); err != nil {
		return 0, p.client.explain(err)
	}
	size, partial := resp.ContentLength, resp.StatusCode == http.StatusPartialContent
	if partial {
		if size, err = p.sizeOf(resp.Header, ranged); err != nil && ranged {
			err = errors.Join(ErrNoRange, err)
		}
	} else if ranged && p.off == 0 {
		err = ErrNoRange // the whole file came, although nothing has to be skipped
	}
	if !partial || !ranged {
		skip = p.off
	}
	if err == nil && size >= 0 && size != p.size {
		err = fmt.Errorf("%w: expected %d bytes, got %d", content.ErrInvalidDescriptorSize, p.size, size)
	}
	if err != nil {
		resp.Body.Close()
	}
	return skip, err
}

// sizeOf returns the size of the whole file by the headers of a partial response. The part
// has to begin at off, or at 0 if none was requested.
func (p *part) sizeOf(header http.Header, ranged bool) (int64, error) {
	want := int64(0)
	if ranged {
		want = p.off
	}
	first, size, err := contentRange(header)
	if err == nil && first != want {
		err = fmt.Errorf("expected a part from byte %d, got one from byte %d", want, first)
	}
	return size, err
}

// contentRange parses "bytes FIRST-LAST/SIZE". For a size of "*" it returns -1.
func contentRange(header http.Header) (first, size int64, err error) {
	value := header.Get("Content-Range")
	span, total, ok := strings.Cut(strings.TrimPrefix(value, "bytes "), "/")
	begin, _, dash := strings.Cut(span, "-")
	first, err = strconv.ParseInt(begin, 10, 64)
	if !ok || !dash || err != nil {
		return 0, 0, fmt.Errorf("malformed Content-Range %q", value)
	}
	if total == "*" {
		return first, -1, nil
	}
	size, err = strconv.ParseInt(total, 10, 64)
	return first, size, err
}
