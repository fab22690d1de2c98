package store

import (
	"context"
	"io"

	"github.com/oras-mirror/oras-mirror/store/bucket"
)

// Buckets say how the buckets in the names of layouts are reached. The zero value asks the
// variables and files of AWS.
type Buckets struct {
	Settings map[string]bucket.Settings // by the name of the bucket
	Context  context.Context            // ends all requests; nil means never
	Retry    bucket.Retry
	Secret   func(username, secret string) // is called for each secret that is sent; it may be nil
}

func (b Buckets) options(path string) bucket.Options {
	o := bucket.Options{Context: b.Context, Retry: b.Retry, Secret: b.Secret}
	if at, err := bucket.ParseLocation(path); err == nil {
		o.Settings = b.Settings[at.Bucket]
	}
	return o
}

// IsInBucket reports whether a path names a layout or a bundle in a bucket.
func IsInBucket(path string) bool { return bucket.Is(path) }

// IsLayoutInBucket reports whether a path names a layout in a bucket, and not a bundle.
func IsLayoutInBucket(path string) bool {
	at, err := bucket.ParseLocation(path)
	return err == nil && at.IsLayout()
}

// OpenObject opens the bytes of a bundle in a bucket. An error is an *InputError.
func OpenObject(path string, b Buckets) (io.ReadCloser, error) {
	at, err := bucket.ParseLocation(path)
	if err != nil {
		return nil, inputError(path, err)
	}
	client, err := bucket.New(at.Bucket, b.options(path))
	if err != nil {
		return nil, inputError(path, err)
	}
	r, err := client.Open(client.Context(), at.Key, 0, -1)
	if err != nil {
		return nil, inputError(path, err)
	}
	return r, nil
}
