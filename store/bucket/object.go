package bucket

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"

	"github.com/minio/minio-go/v7"
)

// Condition says when a write may happen. The zero value means always.
type Condition struct {
	Absent bool   // only if there is no such object
	ETag   string // only if the object still has this ETag
}

// Content is the content of an object. It is written again for each try, so that one that is
// made of something smaller need not be in memory.
type Content interface {
	io.WriterTo
	Size() int64
	SHA256() [sha256.Size]byte
}

// Put writes an object and returns its ETag. If the condition does not hold, the error is
// ErrCondition; after a lost response it may be so because of this very write.
func (c *Client) Put(ctx context.Context, key string, data []byte, when Condition) (etag string, err error) {
	open := func() io.ReadCloser { return io.NopCloser(bytes.NewReader(data)) }
	return c.put(ctx, key, open, int64(len(data)), sha256.Sum256(data), when)
}

// PutContent is Put for content that is not in memory.
func (c *Client) PutContent(ctx context.Context, key string, content Content, when Condition) (etag string, err error) {
	open := func() io.ReadCloser {
		r, w := io.Pipe()
		go func() { // ends when all is read, or when r is closed
			_, err := content.WriteTo(w)
			w.CloseWithError(err)
		}()
		return r
	}
	return c.put(ctx, key, open, content.Size(), content.SHA256(), when)
}

func (c *Client) put(ctx context.Context, key string, open func() io.ReadCloser, size int64, sum [sha256.Size]byte, when Condition) (etag string, err error) {
	err = c.try(ctx, "put", key, func(ctx context.Context) error {
		body := open()
		defer body.Close()
		info, err := c.core.PutObject(ctx, c.bucket, key, body, size, "", hex.EncodeToString(sum[:]), c.putOptions(sum[:], when))
		etag = info.ETag
		return err
	})
	return etag, err
}

// putOptions returns the headers of a write: the condition, the encryption, and the sha256
// if one is given.
func (c *Client) putOptions(sum []byte, when Condition) minio.PutObjectOptions {
	o := minio.PutObjectOptions{ServerSideEncryption: c.encryption, DisableContentSha256: true}
	if sum != nil {
		o.UserMetadata = map[string]string{"X-Amz-Checksum-Sha256": base64.StdEncoding.EncodeToString(sum)}
	}
	switch {
	case when.Absent:
		o.SetMatchETagExcept("*")
	case when.ETag != "":
		o.SetMatchETag(when.ETag)
	}
	return o
}

// Info describes an object. Another one means that the object was written.
type Info struct {
	Size    int64
	ETag    string
	Changed int64 // when it was written, in seconds, by the clock of the store
}

// Head describes an object, or returns an error that is fs.ErrNotExist. The response to a HEAD
// does not say why it is refused: then one byte is asked for, which tells, and renews an
// expired session.
func (c *Client) Head(ctx context.Context, key string) (Info, error) {
	i, err := c.head(ctx, key)
	if e, ok := errors.AsType[*Error](err); !ok || e.Status != http.StatusForbidden && e.Status != http.StatusBadRequest {
		return i, err
	}
	r, err := c.Open(ctx, key, 0, 1)
	if err != nil && !errors.Is(err, ErrRange) {
		return Info{}, err
	}
	if err == nil {
		r.Close()
	}
	return c.head(ctx, key)
}

func (c *Client) head(ctx context.Context, key string) (i Info, err error) {
	err = c.try(ctx, "stat", key, func(ctx context.Context) error {
		info, err := c.core.StatObject(ctx, c.bucket, key, minio.StatObjectOptions{})
		if err == nil {
			i = Info{info.Size, info.ETag, info.LastModified.Unix()}
		}
		return err
	})
	return i, err
}

// Stat returns the size of an object, or an error that is fs.ErrNotExist.
func (c *Client) Stat(ctx context.Context, key string) (size int64, err error) {
	info, err := c.Head(ctx, key)
	return info.Size, err
}

// Remove removes an object. One that does not exist is no error.
func (c *Client) Remove(ctx context.Context, key string) error {
	return c.RemoveWhile(ctx, key, func() error { return nil })
}

// RemoveWhile is Remove that asks before each try whether it still may: an error of may ends it.
func (c *Client) RemoveWhile(ctx context.Context, key string, may func() error) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	return c.try(ctx, "remove", key, func(ctx context.Context) error {
		if err := may(); err != nil {
			end(err)
			return err
		}
		return c.core.RemoveObject(ctx, c.bucket, key, minio.RemoveObjectOptions{})
	})
}

// Copy copies an object on the server.
func (c *Client) Copy(ctx context.Context, from, to string) error {
	return c.try(ctx, "copy", to, func(ctx context.Context) error {
		_, err := c.core.ComposeObject(ctx, minio.CopyDestOptions{Bucket: c.bucket, Object: to, Encryption: c.encryption},
			minio.CopySrcOptions{Bucket: c.bucket, Object: from})
		return err
	})
}
