package store

import (
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Ingest writes a blob to a directory. It is not safe for concurrent use.
type Ingest struct {
	dir    *Dir
	desc   ocispec.Descriptor
	file   *os.File
	writer *disk.WritebackFile // writes to it
	hash   hash.Hash
	size   int64 // of the file, and hashed
	opened bool  // the content of the file is hashed
	closed bool
}

// Ingest starts to store a blob, or resumes after an interrupted run: the bytes that are
// present are hashed, and Size returns their number. Only one Ingest of a blob can be
// open.
func (d *Dir) Ingest(desc ocispec.Descriptor) (*Ingest, error) {
	if err := desc.Digest.Validate(); err != nil {
		return nil, fmt.Errorf("%.200q: %w", desc.Digest, err)
	}
	if !d.activate(desc.Digest) {
		return nil, fmt.Errorf("%s: is already being ingested", desc.Digest)
	}
	i := &Ingest{dir: d, desc: desc, hash: desc.Digest.Algorithm().Hash()}
	if err := i.open(); err != nil {
		i.Close()
		return nil, err
	}
	return i, nil
}

func (i *Ingest) open() (err error) {
	i.file, err = i.dir.openAside(ingestName(i.desc.Digest), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return err
	}
	i.writer = &disk.WritebackFile{File: i.file}
	if i.size, err = io.Copy(i.hash, interruptibleReader{i.file, i.dir.interrupted}); err != nil {
		return err
	}
	i.opened = true
	if i.size > i.desc.Size {
		return i.Reset()
	}
	return nil
}

// Size returns the number of bytes that are present.
func (i *Ingest) Size() int64 { return i.size }

// Write appends to the blob. If that exceeds the size of the descriptor, it writes nothing
// and returns an *oci.MismatchError.
func (i *Ingest) Write(p []byte) (int, error) {
	if size := i.size + int64(len(p)); size > i.desc.Size {
		return 0, &oci.MismatchError{Descriptor: i.desc, Size: size}
	}
	n, err := i.writer.Write(p)
	i.hash.Write(p[:n])
	i.size += int64(n)
	return n, err
}

// Reset starts over.
func (i *Ingest) Reset() error {
	i.hash.Reset()
	i.size = 0
	_, err := i.file.Seek(0, io.SeekStart)
	return errors.Join(i.file.Truncate(0), err)
}

// Commit verifies the blob and puts it in place. A blob with the wrong size or digest is
// removed, and is an *oci.MismatchError.
func (i *Ingest) Commit() error {
	got := &oci.MismatchError{Descriptor: i.desc, Size: i.size}
	got.Digest = digest.NewDigest(i.desc.Digest.Algorithm(), i.hash)
	if got.Size != i.desc.Size || got.Digest != i.desc.Digest {
		return errors.Join(got, i.Reset(), i.Close())
	}
	defer i.Close()
	if err := i.file.Close(); err != nil {
		return err
	}
	if err := i.dir.putInPlace(ingestName(i.desc.Digest), i.desc.Digest); err != nil {
		return err
	}
	i.dir.mu.Lock()
	defer i.dir.mu.Unlock()
	i.dir.downloaded = true
	return nil
}

// Close keeps the bytes for a later run. After Commit it does nothing.
func (i *Ingest) Close() error {
	if i.closed {
		return nil
	}
	i.closed = true
	defer i.dir.deactivate(i.desc.Digest)
	if i.file == nil {
		return nil
	}
	err := i.file.Close()
	if errors.Is(err, os.ErrClosed) { // by Commit
		return nil
	}
	if i.size == 0 && i.opened {
		err = errors.Join(err, os.Remove(i.dir.aside(ingestName(i.desc.Digest))))
	}
	return err
}

func (d *Dir) activate(g digest.Digest) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.active[g] {
		return false
	}
	d.active[g] = true
	return true
}

func (d *Dir) deactivate(g digest.Digest) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.active, g)
}

// ingestName returns the name of an unfinished blob.
func ingestName(d digest.Digest) string {
	return string(d.Algorithm()) + "-" + d.Encoded()
}
