package store

import (
	"errors"
	"io"
	"io/fs"
	"strconv"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/bucket"
)

// OpenRandom opens a blob: a request tells its size and its version.
func (o *objects) OpenRandom(d digest.Digest) (RandomBlob, error) {
	key, err := o.key(d)
	if err != nil {
		return nil, err
	}
	info, err := o.client.Head(o.client.Context(), key)
	if errors.Is(err, fs.ErrNotExist) {
		return o.OpenWhole(d) // whose error tells whether the bucket is absent, too
	}
	if err != nil {
		return nil, err
	}
	return &randomObject{client: o.client, key: key, info: info}, nil
}

// OpenWhole opens a blob that is read from its start, with the request that reads it.
func (o *objects) OpenWhole(d digest.Digest) (RandomBlob, error) {
	r, err := o.read(d, 0, -1)
	if err != nil {
		return nil, err
	}
	return &randomObject{client: o.client, key: r.Key(), info: r.Info(), begun: r}, nil
}

// randomObject is a blob in an object of its own.
type randomObject struct {
	client *bucket.Client
	key    string
	info   bucket.Info
	begun  *bucket.Reader // at the start, until the first WriteRange; nil: none
}

func (b *randomObject) Size() int64 { return b.info.Size }

// Stamp has no time of this machine's clock: a store has its own.
func (b *randomObject) Stamp() (Stamp, error) {
	return Stamp{Tag: b.info.ETag + " " + strconv.FormatInt(b.info.Changed, 10)}, nil
}

func (b *randomObject) WriteRange(w io.Writer, from, n int64) error {
	if n == 0 {
		return nil
	}
	r := b.begun
	if b.begun = nil; r == nil || from != 0 {
		if r != nil {
			_ = r.Close() // nothing was read
		}
		var err error
		if r, err = b.client.OpenVersion(b.client.Context(), b.key, b.info.ETag, from, n); err != nil {
			return err
		}
	}
	defer r.Close()
	buffer := hashBuffers.Get().(*hashBuffer)
	defer hashBuffers.Put(buffer)
	written, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{io.LimitReader(r, n)}, buffer[:])
	if err == nil && written < n {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// Close ends what was begun and not used.
func (b *randomObject) Close() error {
	if b.begun == nil {
		return nil
	}
	return b.begun.Close()
}
