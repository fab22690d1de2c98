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

// lastProgress is what a download has to bring between two breaks so that they are
// not counted together.
const progressSize = 1 << 20

// FetchBlob opens n bytes of a blob from off on. A part is asked for by Range,
// and is ErrNoRange where the registry sends whole blobs only. A body that breaks
// off or stalls is continued where it stopped. The bytes are not verified here.
// The reader must be closed: it holds a place in the limits.
func (r *Repository) FetchBlob(ctx context.Context, desc ocispec.Descriptor, off, n int64) (io.ReadCloser, error) {
	if off < 0 || n < 0 || off+n > desc.Size {
		return nil, r.failBlob(desc, fmt.Errorf("bytes %d to %d of a blob of %d", off, off+n, desc.Size))
	}
	b := &blob{ctx: withLane(ctx, download), repository: r, desc: desc, off: off, end: off + n, lastProgress: off}
	b.since = r.host.health.retry.Now()
	body, skip, err := b.open()
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

// blob reads a part of a blob, over as many requests as it takes.
type blob struct {
	ctx        context.Context
	repository *Repository
	desc       ocispec.Descriptor
	off, end   int64 // the next byte, and the one after the last
	body       io.ReadCloser
	finished   bool
	noRange    bool // a part was asked for and something else came: the rest comes by the whole

	breaks       int       // since progress was made
	lastProgress int64     // where off was then
	since        time.Time // and when
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

// finish reads to the end of the body, without which its connection could not
// be used again. What stands behind a whole blob is not the blob.
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

// resume opens the rest of a body that broke with err.
func (b *blob) resume(err error) error {
	for {
		b.body.Close() // first, so that nothing waits while holding a place
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
		if err := health.wait(b.ctx, b.breaks, b.since, err); err != nil {
			return err
		}
		body, skip, openErr := b.open()
		if errors.Is(openErr, ErrNoRange) {
			b.noRange = true
			body, skip, openErr = b.open()
		}
		if openErr != nil {
			b.body = http.NoBody
			return fmt.Errorf("%w (after %d bytes: %w)", openErr, b.off, err)
		}
		b.body = body
		// A digest names the same bytes each time: what came before is skipped.
		if _, err = io.CopyN(io.Discard, body, skip); err == nil {
			return nil
		}
	}
}

// open asks for the bytes that are still wanted. skip is how many bytes of the
// body come before them: a registry that ignores Range sends all.
func (b *blob) open() (body io.ReadCloser, skip int64, err error) {
	u, err := b.repository.blobURL(b.desc)
	if err != nil {
		return nil, 0, err
	}
	req, err := b.repository.request(b.ctx, http.MethodGet, u, nil)
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

// checkResponse checks that a response is what was asked for; if not it is closed. A
// registry that answers to a Range with anything but that part, or the whole, is
// taken to have none.
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
		err = ErrNoRange // not even one byte need be skipped for this to be no part
	}
	if !partial || !part {
		skip = b.off
	}
	if err == nil && size >= 0 && size != b.desc.Size {
		err = fmt.Errorf("%w: the registry has %d bytes, not %d", content.ErrInvalidDescriptorSize, size, b.desc.Size)
	}
	if err != nil {
		resp.Body.Close()
	}
	return skip, err
}

// partSize returns the size of the whole of which a part came, which begins where
// it is to: where we are, or, unasked for, at the start.
func (b *blob) partSize(header http.Header, part bool) (int64, error) {
	want := int64(0)
	if part {
		want = b.off
	}
	first, size, err := contentRange(header)
	if err == nil && first != want {
		err = fmt.Errorf("asked for byte %d, the registry sends from %d", want, first)
	}
	return size, err
}

// contentRange reads "bytes FIRST-LAST/SIZE"; a size of "*" is -1.
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

// HasBlob reports whether the repository has a blob of that digest and size.
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
