package store

import (
	"errors"
	"io/fs"

	"github.com/oras-mirror/oras-mirror/store/bucket"
)

// CheckOutput returns the error of Create for a directory that is no layout, a prefix in a
// bucket without index.json, or a bundle in a bucket, if there is content that oras-mirror did
// not write. It writes nothing. CheckReplaced is for files.
func CheckOutput(path string, b Buckets) error {
	if !bucket.Is(path) {
		if err := checkNames(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return outputError(path, err)
		}
		return nil
	}
	if IsLayoutInBucket(path) {
		l, err := newBucket(path, CreateOptions{Buckets: b})
		if err != nil {
			return err
		}
		if err := l.checkNames(l.client.Context()); err != nil {
			return outputError(path, err)
		}
		return nil
	}
	u, err := newUpload(path, CreateOptions{Buckets: b})
	if err != nil {
		return err
	}
	if err := u.findPrevious(u.client.Context()); err != nil {
		return outputError(path, err)
	}
	return nil
}
