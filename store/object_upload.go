package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/object"
)

// uploadAge is the time without a new part after which an upload counts as given up.
const uploadAge = 7 * 24 * time.Hour

// objectUpload is an archive in a bucket. If there is one of the name, the new one is written beside
// it until it is complete.
type objectUpload struct {
	*object.Writer        // nil before it has begun
	name           string // as the user wrote it
	client         *bucket.Client
	target         string // key
	key            string // of the upload: target, or beside it if target exists
}

// openUpload starts a bundle in a bucket. If there is one of the name already, the new one is
// written beside it. Uploads of the name that were not continued for a week are aborted. The
// upload begins at once, so that a user who may not write learns it before anything is fetched.
func openUpload(path string, c bundle.Compression, o CreateOptions) (*Archive, error) {
	u, err := newUpload(path, o)
	if err != nil {
		return nil, err
	}
	if err := u.prepare(u.client.Context(), o.Buffer); err != nil {
		return nil, outputError(path, err)
	}
	return newArchive(u, c), nil
}

// newUpload returns an upload that has not begun.
func newUpload(path string, o CreateOptions) (*objectUpload, error) {
	at, err := bucket.ParseLocation(path)
	if err != nil {
		return nil, &OutputError{Path: path, Err: err}
	}
	client, err := bucket.New(at.Bucket, o.Buckets.options(path))
	if err != nil {
		return nil, &OutputError{Path: path, Err: err}
	}
	return &objectUpload{name: path, client: client, target: at.Key, key: at.Key}, nil
}

// prepare aborts old uploads of the name, and begins one.
func (u *objectUpload) prepare(ctx context.Context, buffer int64) error {
	if err := u.findPrevious(ctx); err != nil {
		return err
	}
	_, err := u.client.AbortStale(ctx, u.target, time.Now().Add(-uploadAge), func(key string) bool {
		return key == u.target || key == u.target+".incomplete" // a copy to the target is an upload, too
	})
	if err != nil && !errors.Is(err, bucket.ErrRefused) && !errors.Is(err, bucket.ErrUnsupported) {
		return err // else the user may write, but not clean up
	}
	u.Writer, err = object.NewWriter(u.client, u.key, buffer)
	return err
}

// findPrevious chooses the name .incomplete if there is a bundle of the name. It returns an error
// if oras-mirror did not write it.
func (u *objectUpload) findPrevious(ctx context.Context) error {
	_, err := u.client.Stat(ctx, u.target)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	u.key = u.target + ".incomplete"
	for _, suffix := range []string{"", ".incomplete"} {
		if err := u.checkReplaced(ctx, suffix); err != nil {
			return err
		}
	}
	return nil
}

// checkReplaced returns an error if there is an object with the name and the suffix that
// oras-mirror did not write.
func (u *objectUpload) checkReplaced(ctx context.Context, suffix string) error {
	r, err := u.client.Open(ctx, u.target+suffix, 0, int64(len(bundle.TarHead(layoutFile))))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, bucket.ErrRange) { // or it is empty
		return nil
	}
	if err != nil {
		return err
	}
	defer r.Close()
	head, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return checkOwnHead(head, u.name+suffix)
}

func (u *objectUpload) expect(bytes int64) error { return u.Expect(bytes) }

func (u *objectUpload) begin(ocispec.Descriptor) error { return u.Mark() }

func (u *objectUpload) encoded(out *bundle.Writer, p []byte) (int, error) { return out.Write(p) }

func (u *objectUpload) entered() error { return nil }

// rollback forgets what was written since the blob began.
func (u *objectUpload) rollback(out *bundle.Writer) error { return u.Rewind(out.Discard()) }

func (u *objectUpload) free() (bytes int64, ok bool) { return 0, false }

func (u *objectUpload) commit(incomplete bool) (path string, err error) {
	if err := u.Complete(); err != nil {
		return "", errors.Join(err, u.Abort())
	}
	switch {
	case u.key == u.target:
		return u.name, nil
	case incomplete:
		return u.name + ".incomplete", nil
	}
	ctx := u.client.Context()
	if err := u.client.Copy(ctx, u.key, u.target); err != nil {
		return "", err
	}
	return u.name, u.client.Remove(ctx, u.key)
}

func (u *objectUpload) abort() error { return u.Abort() }

func (u *objectUpload) leave() error { return u.Abort() }

func (u *objectUpload) path() string { return u.name }
