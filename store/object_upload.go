package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

const (
	// bundlePart is the smallest size of the parts of a bundle: bucket.MaxParts of them
	// suffice for 140 GiB.
	bundlePart = 16 << 20
	// bundleBuffers is the number of parts in memory: the one that is filled, the one that is
	// sent, and the one in which the current blob begins.
	bundleBuffers = 3
	// uploadAge is the time without a new part after which an upload counts as given up.
	uploadAge = 7 * 24 * time.Hour
	// abortTimeout is for the end of an upload after the end of its run.
	abortTimeout = 10 * time.Second
)

// PartError reports that a bundle in a bucket needs larger parts than the buffer has room
// for.
type PartError struct{ Buffer int64 } // bytes that are needed

func (e *PartError) Error() string {
	return fmt.Sprintf("a bundle of this size in a bucket needs a buffer of %d MiB", (e.Buffer+1<<20-1)>>20)
}

// objectUpload is an archive in a bucket, which is sent in parts and exists when it is
// complete. Nothing of it is on the disk, and a run that ends before leaves nothing.
//
// What was sent cannot be read again, so the part in which a blob begins stays in memory
// until the blob is right: to take the blob back, that part is filled again from there on.
type objectUpload struct {
	name     string // as the user wrote it
	client   *bucket.Client
	target   string // key
	key      string // of the upload: target, or beside it if target exists
	most     int64  // memory for parts; 0 means no limit
	partSize int64

	// Some stores take only parts of one size, which depends on the size of the archive: what is
	// written before that is known is held in memory.
	settled bool     // partSize is final
	held    [][]byte // pieces of bundlePart

	upload *bucket.Upload // nil after its end
	parts  []bucket.Part
	at     int64  // of the buffer in the archive
	buffer []byte // the part that is filled
	spare  []byte // of a part that has arrived

	blob    int64       // where the current entry begins
	kept    *sentPart   // the part in which it begins, if that was sent
	flying  *sentPart   // the part under way; nil if there is none
	arrived chan error  // receives its result
	sent    bucket.Part // set before that
}

// sentPart is a part that is still in memory.
type sentPart struct {
	number int // from 1
	at     int64
	data   []byte
}

// openUpload starts a bundle in a bucket. If there is one of the name already, the new one is
// written beside it. Uploads of the name that were not continued for a week are aborted. The
// upload begins at once, so that a user who may not write learns it before anything is fetched.
func openUpload(path string, c bundle.Compression, o CreateOptions) (*Archive, error) {
	u, err := newUpload(path, o)
	if err != nil {
		return nil, err
	}
	if err := u.prepare(u.client.Context()); err != nil {
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
	return &objectUpload{name: path, client: client, target: at.Key, key: at.Key, most: o.Buffer, partSize: bundlePart}, nil
}

// prepare aborts old uploads of the name, and begins one.
func (u *objectUpload) prepare(ctx context.Context) error {
	if err := u.findPrevious(ctx); err != nil {
		return err
	}
	_, err := u.client.AbortStale(ctx, u.target, time.Now().Add(-uploadAge), func(key string) bool {
		return key == u.target || key == u.target+".incomplete" // a copy to the target is an upload, too
	})
	if err != nil && !errors.Is(err, bucket.ErrRefused) && !errors.Is(err, bucket.ErrUnsupported) {
		return err // else the user may write, but not clean up
	}
	u.upload, err = u.client.NewUpload(ctx, u.key)
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

func (u *objectUpload) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		if u.buffer == nil {
			u.buffer = u.take()
		}
		if int64(len(u.buffer)) == u.partSize {
			if err := u.next(); err != nil {
				return written - len(p), err
			}
			continue
		}
		n := min(int64(len(p)), u.partSize-int64(len(u.buffer)))
		u.buffer = append(u.buffer, p[:n]...)
		p = p[n:]
	}
	return written, nil
}

// take returns a buffer for a part.
func (u *objectUpload) take() []byte {
	buffer := u.spare
	u.spare = nil
	if int64(cap(buffer)) != u.partSize {
		return make([]byte, 0, u.partSize)
	}
	return buffer[:0]
}

// send starts to send the buffer, when the part before it has arrived.
func (u *objectUpload) send() error {
	if err := u.wait(); err != nil {
		return err
	}
	ctx := u.client.Context()
	part := &sentPart{number: len(u.parts) + 1, at: u.at, data: u.buffer}
	if u.blob >= u.at {
		u.kept = part
	}
	u.at, u.buffer = u.at+int64(len(u.buffer)), nil
	u.parts = append(u.parts, bucket.Part{})
	u.flying, u.arrived = part, make(chan error, 1)
	go func() {
		var err error
		u.sent, err = u.upload.Put(ctx, part.number, part.data)
		u.arrived <- err
	}()
	return nil
}

// wait waits for the part under way.
func (u *objectUpload) wait() error {
	if u.flying == nil {
		return nil
	}
	err := <-u.arrived
	if err == nil {
		u.parts[u.flying.number-1] = u.sent
	}
	if u.flying != u.kept {
		u.spare = u.flying.data
	}
	u.flying = nil
	return err
}

func (u *objectUpload) begin(ocispec.Descriptor) error {
	if err := u.settle(u.partSize); err != nil {
		return err
	}
	if u.kept != nil && u.kept != u.flying {
		u.spare = u.kept.data
	}
	u.blob, u.kept = u.at+int64(len(u.buffer)), nil
	return nil
}

func (u *objectUpload) encoded(out *bundle.Writer, p []byte) (int, error) { return out.Write(p) }

func (u *objectUpload) entered() error { return nil }

// rollback forgets what was written since the blob began.
func (u *objectUpload) rollback(out *bundle.Writer) error {
	begin := out.Discard()
	if err := u.wait(); err != nil {
		return err
	}
	if begin < u.at {
		if u.kept == nil {
			return fmt.Errorf("%s: the part at byte %d was sent", u.name, begin)
		}
		u.parts, u.at, u.buffer = u.parts[:u.kept.number-1], u.kept.at, u.kept.data
		u.kept = nil
	}
	u.buffer = u.buffer[:begin-u.at]
	return nil
}

func (u *objectUpload) free() (bytes int64, ok bool) { return 0, false }

func (u *objectUpload) commit(incomplete bool) (path string, err error) {
	ctx := u.client.Context()
	if err := u.finish(ctx); err != nil {
		return "", errors.Join(err, u.abort())
	}
	switch {
	case u.key == u.target:
		return u.name, nil
	case incomplete:
		return u.name + ".incomplete", nil
	}
	if err := u.client.Copy(ctx, u.key, u.target); err != nil {
		return "", err
	}
	return u.name, u.client.Remove(ctx, u.key)
}

// finish makes the object of the parts.
func (u *objectUpload) finish(ctx context.Context) error {
	if err := u.settle(u.partSize); err != nil {
		return err
	}
	if len(u.buffer) > 0 {
		if err := u.send(); err != nil {
			return err
		}
	}
	last := u.flying
	if err := u.wait(); err != nil {
		return err
	}
	err := u.upload.Complete(ctx, u.parts, bucket.Condition{})
	if errors.Is(err, bucket.ErrNoUpload) && u.isThere(ctx, last) {
		return nil
	}
	return err
}

// isThere reports whether the object is the one that was sent: the response to its completion
// was lost, and the store has forgotten the upload. Its last part has the table of all blobs.
func (u *objectUpload) isThere(ctx context.Context, last *sentPart) bool {
	if last == nil {
		return false
	}
	r, err := u.client.Open(ctx, u.key, last.at, -1)
	if err != nil {
		return false
	}
	defer r.Close()
	data := make([]byte, len(last.data)+1)
	n, _ := io.ReadFull(r, data)
	return bytes.Equal(data[:n], last.data)
}

// abort removes the parts, even after the end of the run.
func (u *objectUpload) abort() error {
	u.forget()
	if u.upload == nil {
		return nil
	}
	_ = u.wait() // the upload ends anyway
	ctx, cancel := context.WithTimeout(context.WithoutCancel(u.client.Context()), abortTimeout)
	defer cancel()
	err := u.upload.Abort(ctx)
	u.upload = nil
	return err
}

func (u *objectUpload) leave() error { return u.abort() }

func (u *objectUpload) path() string { return u.name }
