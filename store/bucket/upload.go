package bucket

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"
)

const (
	// MaxParts bounds the parts of an upload. S3 takes 10,000.
	MaxParts = 9_000
	// abortTimeout is for the end of an upload after the end of its run.
	abortTimeout = 10 * time.Second
	// MinPart is the smallest part of an upload but the last.
	MinPart = 5 << 20
)

// Upload is an object that is written in parts. It exists when it is completed, and not
// before. Parts may be sent concurrently.
type Upload struct {
	client *Client
	key    string
	id     string
}

// NewUpload starts an upload.
func (c *Client) NewUpload(ctx context.Context, key string) (*Upload, error) {
	u := &Upload{client: c, key: key}
	o := c.putOptions(nil, Condition{})
	o.UserMetadata = map[string]string{"X-Amz-Checksum-Algorithm": "SHA256"}
	err := c.try(ctx, "put", key, func(ctx context.Context) (err error) {
		u.id, err = c.core.NewMultipartUpload(ctx, c.bucket, key, o)
		return err
	})
	return u, err
}

// Part is a part that the store has.
type Part struct {
	Number int // from 1
	ETag   string
	sum    string // the sha256 of the part in base64
}

// Put sends a part. Sending a number again replaces the part.
func (u *Upload) Put(ctx context.Context, number int, data []byte) (Part, error) {
	sum := sha256.Sum256(data)
	p := Part{Number: number, sum: base64.StdEncoding.EncodeToString(sum[:])}
	o := minio.PutObjectPartOptions{Sha256Hex: hex.EncodeToString(sum[:]), DisableContentSha256: true,
		CustomHeader: http.Header{"X-Amz-Checksum-Sha256": {p.sum}}}
	err := u.client.try(ctx, "put", u.key, func(ctx context.Context) error {
		part, err := u.client.core.PutObjectPart(ctx, u.client.bucket, u.key, u.id, number, bytes.NewReader(data), int64(len(data)), o)
		p.ETag = part.ETag
		return err
	})
	return p, err
}

// Complete makes the object of its parts, in the order of their numbers. If the condition
// does not hold, the error is ErrCondition.
func (u *Upload) Complete(ctx context.Context, parts []Part, when Condition) error {
	complete := make([]minio.CompletePart, len(parts))
	for i, p := range parts {
		complete[i] = minio.CompletePart{PartNumber: p.Number, ETag: p.ETag, ChecksumSHA256: p.sum}
	}
	return u.client.try(ctx, "put", u.key, func(ctx context.Context) error {
		_, err := u.client.core.CompleteMultipartUpload(ctx, u.client.bucket, u.key, u.id, complete, u.client.putOptions(nil, when))
		return err
	})
}

// Abort removes the parts, even after the end of the run that ctx belongs to.
func (u *Upload) Abort(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	return u.abort(ctx)
}

func (u *Upload) abort(ctx context.Context) error {
	return u.client.try(ctx, "abort", u.key, func(ctx context.Context) error {
		return u.client.core.AbortMultipartUpload(ctx, u.client.bucket, u.key, u.id)
	})
}

// AbortStale removes the parts of the unfinished uploads below a prefix that is ours to judge,
// if no part of them came since a time. It returns how many it removed.
func (c *Client) AbortStale(ctx context.Context, prefix string, since time.Time, ours func(key string) bool) (n int, err error) {
	old, err := c.uploads(ctx, prefix, since, ours)
	if err != nil {
		return 0, err
	}
	for _, u := range old {
		moved, err := u.hasPartSince(ctx, since)
		if err == nil && !moved {
			err = u.abort(ctx)
		}
		switch {
		case errors.Is(err, ErrNoUpload): // it ended meanwhile
		case err != nil:
			return n, err
		case !moved:
			n++
		}
	}
	return n, nil
}

// uploads lists the unfinished uploads that were started before a time.
func (c *Client) uploads(ctx context.Context, prefix string, before time.Time, ours func(key string) bool) (old []*Upload, err error) {
	var key, id string
	for more := true; more && err == nil; {
		err = c.try(ctx, "list uploads", prefix, func(ctx context.Context) error {
			page, err := c.core.ListMultipartUploads(ctx, c.bucket, prefix, key, id, "", maxList)
			if err != nil {
				return err
			}
			for _, u := range page.Uploads {
				if u.Initiated.Before(before) && ours(u.Key) {
					old = append(old, &Upload{client: c, key: u.Key, id: u.UploadID})
				}
			}
			more = page.IsTruncated && (page.NextKeyMarker != key || page.NextUploadIDMarker != id)
			key, id = page.NextKeyMarker, page.NextUploadIDMarker
			return nil
		})
	}
	return old, err
}

// hasPartSince reports whether a part came after a time.
func (u *Upload) hasPartSince(ctx context.Context, since time.Time) (found bool, err error) {
	for last, more := 0, true; more && !found && err == nil; {
		err = u.client.try(ctx, "list parts", u.key, func(ctx context.Context) error {
			page, err := u.client.core.ListObjectParts(ctx, u.client.bucket, u.key, u.id, last, maxList)
			for _, p := range page.ObjectParts {
				found = found || p.LastModified.After(since)
			}
			more = page.IsTruncated && page.NextPartNumberMarker > last
			last = page.NextPartNumberMarker
			return err
		})
	}
	return found, err
}

// maxList is the largest number of entries of one response.
const maxList = 1000
