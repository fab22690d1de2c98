package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// Reader reads an object, or a part of it. When the connection breaks it goes on where it
// was, in the same version of the object. It is not for concurrent use.
type Reader struct {
	client  *Client
	ctx     context.Context
	cancel  context.CancelFunc
	key     string
	body    io.ReadCloser
	size    int64 // of the whole object
	etag    string
	changed time.Time
	at      int64 // of the next byte
	end     int64 // of the part
	tries   int   // without a byte in between
}

// Open opens n bytes of an object from off on; n < 0 means to its end. One that does not
// exist is fs.ErrNotExist.
func (c *Client) Open(ctx context.Context, key string, off, n int64) (*Reader, error) {
	return c.OpenVersion(ctx, key, "", off, n)
}

// OpenVersion is Open for an object that has an ETag. If it has another one now, the error
// is ErrCondition.
func (c *Client) OpenVersion(ctx context.Context, key, etag string, off, n int64) (*Reader, error) {
	ctx, cancel := context.WithCancel(ctx)
	r := &Reader{client: c, ctx: ctx, cancel: cancel, key: key, etag: etag, at: off, end: -1}
	if n >= 0 {
		r.end = off + n
	}
	if n == 0 { // no range is empty
		r.body = io.NopCloser(strings.NewReader(""))
		return r, nil
	}
	if err := r.request(); err != nil {
		cancel()
		return nil, err
	}
	return r, nil
}

// OpenTail opens the last n bytes of an object, or all of a smaller one.
func (c *Client) OpenTail(ctx context.Context, key string, n int64) (*Reader, error) {
	ctx, cancel := context.WithCancel(ctx)
	r := &Reader{client: c, ctx: ctx, cancel: cancel, key: key, at: -n, end: -1}
	if err := r.request(); err != nil {
		cancel()
		return nil, err
	}
	return r, nil
}

// Key returns the key of the object.
func (r *Reader) Key() string { return r.key }

// Size returns the size of the whole object.
func (r *Reader) Size() int64 { return r.size }

// ETag returns the ETag of the object.
func (r *Reader) ETag() string { return r.etag }

// Info describes the whole object.
func (r *Reader) Info() Info { return Info{r.size, r.etag, r.changed.Unix()} }

// Offset returns the position of the next byte in the object.
func (r *Reader) Offset() int64 { return r.at }

// request asks for what is left.
func (r *Reader) request() error {
	return r.client.try(r.ctx, "get", r.key, func(ctx context.Context) error {
		var o minio.GetObjectOptions
		switch {
		case r.at < 0:
			o.Set("Range", "bytes="+strconv.FormatInt(r.at, 10))
		case r.end >= 0:
			o.Set("Range", fmt.Sprintf("bytes=%d-%d", r.at, r.end-1))
		case r.at > 0:
			o.Set("Range", fmt.Sprintf("bytes=%d-", r.at))
		}
		if r.etag != "" {
			if err := o.SetMatchETag(r.etag); err != nil {
				return err
			}
		}
		body, info, header, err := r.client.core.GetObject(ctx, r.client.bucket, r.key, o)
		if err != nil {
			return err
		}
		r.body = body
		return r.accept(header.Get("Content-Range"), info)
	})
}

// accept takes what a response says about the object and the part.
func (r *Reader) accept(contentRange string, info minio.ObjectInfo) error {
	r.etag, r.changed = info.ETag, info.LastModified
	if contentRange == "" {
		if r.at > 0 || r.end >= 0 && r.end < info.Size {
			r.body.Close()
			return fmt.Errorf("the store sends no parts of objects")
		}
		r.at, r.size, r.end = 0, info.Size, info.Size
		return nil
	}
	var from, last, size int64
	if _, err := fmt.Sscanf(contentRange, "bytes %d-%d/%d", &from, &last, &size); err != nil || r.at >= 0 && from != r.at || last >= size {
		r.body.Close()
		return fmt.Errorf("invalid Content-Range %.100q", contentRange)
	}
	r.at, r.end, r.size = from, last+1, size
	return nil
}

// Read reads from the connection, or from a new one after it broke.
func (r *Reader) Read(p []byte) (int, error) {
	for {
		n, err := r.body.Read(p)
		r.at += int64(n)
		if n > 0 {
			r.tries = 0
			return n, nil
		}
		if err == io.EOF && r.at >= r.end {
			return 0, io.EOF
		}
		if err == nil {
			continue
		}
		if err := r.resume(err); err != nil {
			return 0, err
		}
	}
}

// resume opens a connection for the rest.
func (r *Reader) resume(err error) error {
	r.body.Close()
	if cause := context.Cause(r.ctx); cause != nil {
		return cause
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if r.tries++; r.tries >= r.client.retry.Tries {
		return newError("get", r.client.name(r.key), err)
	}
	if err := r.client.pause(r.ctx, r.tries, shortReason(err)); err != nil {
		return err
	}
	return r.request()
}

// Close ends the request.
func (r *Reader) Close() error {
	r.cancel()
	return r.body.Close()
}

// ErrTooLong is the error for an object that is longer than expected.
var ErrTooLong = errors.New("the object is too long")

// Get returns the content of an object of at most so many bytes, and its ETag. One that is
// longer is ErrTooLong.
func (c *Client) Get(ctx context.Context, key string, most int64) (data []byte, etag string, err error) {
	r, err := c.Open(ctx, key, 0, -1)
	if err != nil {
		return nil, "", err
	}
	defer r.Close()
	if r.Size() > most {
		return nil, "", newError("get", c.name(key), fmt.Errorf("%w: %d bytes", ErrTooLong, r.Size()))
	}
	data, err = io.ReadAll(io.LimitReader(r, most))
	return data, r.ETag(), err
}
