package store

import (
	"context"
	"errors"

	"github.com/oras-mirror/oras-mirror/store/bucket"
)

// Buckets say how the buckets in the names of layouts are reached. The zero value asks the
// variables and files of AWS.
type Buckets struct {
	Settings map[string]bucket.Settings // by the name of the bucket
	Context  context.Context            // ends all requests; nil means never
	Retry    bucket.Retry
}

func (b Buckets) options(path string) bucket.Options {
	o := bucket.Options{Context: b.Context, Retry: b.Retry}
	if at, err := bucket.ParseLocation(path); err == nil {
		o.Settings = b.Settings[at.Bucket]
	}
	return o
}

// IsInBucket reports whether a path names a layout in a bucket, and not a file.
func IsInBucket(path string) bool { return bucket.Is(path) }

var errBundleInBucket = errors.New("a name in a bucket must end with / for a layout; bundles in buckets are not supported")
