package bucket

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"
)

const (
	// MaxParts bounds the parts of an upload. S3 takes 10,000.
	MaxParts = 9_000
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

// Abort removes the parts.
func (u *Upload) Abort(ctx context.Context) error {
	return u.client.try(ctx, "abort", u.key, func(ctx context.Context) error {
		return u.client.core.AbortMultipartUpload(ctx, u.client.bucket, u.key, u.id)
	})
}

// Uploads returns the unfinished uploads of an object that were started before a time.
func (c *Client) Uploads(ctx context.Context, key string, before time.Time) (old []*Upload, err error) {
	err = c.try(ctx, "list", key, func(ctx context.Context) error {
		old = nil
		result, err := c.core.ListMultipartUploads(ctx, c.bucket, key, "", "", "", 1000)
		for _, u := range result.Uploads {
			if u.Key == key && u.Initiated.Before(before) {
				old = append(old, &Upload{client: c, key: key, id: u.UploadID})
			}
		}
		return err
	})
	return old, err
}
