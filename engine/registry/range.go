package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
)

// progressSize is the number of bytes that a download has to deliver between two breaks for
// the first not to count.
const progressSize = 1 << 20

// FetchBlob opens n bytes of a blob from off on. It requests a part by Range, and returns
// ErrNoRange if the registry does not support that. The reader resumes a body that breaks
// off or stalls. The bytes are not verified. The caller must close the reader: it holds a
// slot of the limits.
func (r *Repository) FetchBlob(ctx context.Context, desc ocispec.Descriptor, off, n int64) (io.ReadCloser, error) {
	if off < 0 || n < 0 || off+n > desc.Size {
		return nil, r.failBlob(desc, fmt.Errorf("invalid range: bytes %d to %d of a blob of %d bytes", off, off+n, desc.Size))
	}
	b := &blob{ctx: withLane(ctx, download), repository: r, desc: desc, off: off, end: off + n, lastProgress: off}
	b.since = r.host.health.retry.Now()
	ctx, done := limitResume(b.ctx)
	body, skip, err := b.open(ctx)
	done()
	err = resumeError(ctx, err)
	if err == nil && skip > 0 {
		body.Close()
		err = ErrNoRange
	}
	if err != nil {
		return nil, r.failBlob(desc, err)
	}
	b.body = body
	return b, nil
}

func (r *Repository) failBlob(desc ocispec.Descriptor, err error) error {
	return r.fail("fetch", r.fullName(desc.Digest.String()), err)
}

// blob reads a part of a blob, with as many requests as it takes.
type blob struct {
	ctx        context.Context
	repository *Repository
	desc       ocispec.Descriptor
	off, end   int64 // the next byte, and the one after the last
	body       io.ReadCloser
	finished   bool
	noRange    bool // the registry does not support Range: request the whole blob

	breaks       int       // since progress was made
	lastProgress int64     // off at that time
	since        time.Time // that time
}

func (b *blob) Read(p []byte) (int, error) {
	for b.off < b.end {
		if len(p) == 0 {
			return 0, nil
		}
		n, err := b.body.Read(p[:min(int64(len(p)), b.end-b.off)])
		b.off += int64(n)
		if n > 0 {
			return n, nil
		}
		if err != nil {
			if err := b.resume(err); err != nil {
				return 0, b.repository.failBlob(b.desc, err)
			}
		}
	}
	return 0, b.finish()
}

// finish reads to the end of the body, without which its connection could not be reused. It
// is an error if anything follows a whole blob.
func (b *blob) finish() error {
	if !b.finished {
		b.finished = true
		if n, _ := b.body.Read(make([]byte, 1)); n > 0 && b.end == b.desc.Size {
			return b.repository.failBlob(b.desc, content.ErrTrailingData)
		}
	}
	return io.EOF
}

func (b *blob) Close() error { return b.body.Close() }

// resume reopens a body that broke with err where it stopped.
func (b *blob) resume(err error) error {
	ctx, done := limitResume(b.ctx)
	defer done()
	for {
		b.body.Close() // first, so that nothing waits while it holds a slot
		if b.ctx.Err() != nil {
			return b.ctx.Err()
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		health := b.repository.host.health
		if b.off-b.lastProgress >= progressSize {
			b.breaks, b.lastProgress, b.since = 0, b.off, health.retry.Now()
		}
		b.breaks++
		if err := health.wait(ctx, b.breaks, b.since, err); err != nil {
			return resumeError(ctx, err)
		}
		body, skip, openErr := b.open(ctx)
		if errors.Is(openErr, ErrNoRange) {
			b.noRange = true
			body, skip, openErr = b.open(ctx)
		}
		if openErr != nil {
			b.body = http.NoBody
			openErr = resumeError(ctx, openErr)
			return fmt.Errorf("%w (after %d bytes: %w)", openErr, b.off, err)
		}
		b.body = body
		// A digest names the same bytes each time: skip those that were read.
		if _, err = io.CopyN(io.Discard, body, skip); err == nil {
			return nil
		}
	}
}

// open requests the missing bytes. skip is the number of bytes in the body before them: a
// registry that ignores Range sends the whole blob.
func (b *blob) open(ctx context.Context) (body io.ReadCloser, skip int64, err error) {
	u, err := b.repository.blobURL(b.desc)
	if err != nil {
		return nil, 0, err
	}
	req, err := b.repository.request(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, 0, err
	}
	if b.off == b.end && b.desc.Size > 0 {
		return http.NoBody, 0, nil
	}
	part := !b.noRange && (b.off > 0 || b.end < b.desc.Size)
	if part {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", b.off, b.end-1))
	}
	resp, err := b.repository.do(req)
	if err != nil {
		return nil, 0, err
	}
	skip, err = b.checkResponse(resp, part)
	return resp.Body, skip, err
}

// checkResponse checks that a response has the requested bytes, and closes it if not. A
// registry that responds to a Range with anything but that part or the whole blob counts as
// one without Range.
func (b *blob) checkResponse(resp *http.Response, part bool) (skip int64, err error) {
	if part && resp.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		return 0, errors.Join(ErrNoRange, responseError(resp))
	}
	if err := expect(resp, http.StatusOK, http.StatusPartialContent); err != nil {
		return 0, b.repository.explain(err)
	}
	size, partial := resp.ContentLength, resp.StatusCode == http.StatusPartialContent
	if partial {
		if size, err = b.partSize(resp.Header, part); err != nil && part {
			err = errors.Join(ErrNoRange, err)
		}
	} else if part && b.off == 0 {
		err = ErrNoRange // the whole blob came, although nothing has to be skipped
	}
	if !partial || !part {
		skip = b.off
	}
	if err == nil && size >= 0 && size != b.desc.Size {
		err = fmt.Errorf("%w: expected %d bytes, got %d", content.ErrInvalidDescriptorSize, b.desc.Size, size)
	}
	if err != nil {
		resp.Body.Close()
	}
	return skip, err
}

// partSize returns the size of the whole blob by the headers of a partial response. The part
// has to begin at off, or at 0 if none was requested.
func (b *blob) partSize(header http.Header, part bool) (int64, error) {
	want := int64(0)
	if part {
		want = b.off
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

// HasBlob reports whether the repository has a blob of this digest and size.
func (r *Repository) HasBlob(ctx context.Context, desc ocispec.Descriptor) (bool, error) {
	u, err := r.blobURL(desc)
	if err == nil {
		var resp *http.Response
		resp, err = r.get(ctx, http.MethodHead, u, nil, http.StatusOK)
		if err == nil {
			resp.Body.Close()
			return resp.ContentLength < 0 || resp.ContentLength == desc.Size, nil
		}
	}
	if Status(err) == http.StatusNotFound {
		return false, nil
	}
	return false, r.fail("check", r.fullName(desc.Digest.String()), err)
}
