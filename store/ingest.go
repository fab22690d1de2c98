package store

import (
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Ingest is a blob on its way into a directory. It is not for concurrent use.
type Ingest struct {
	dir    *Dir
	desc   ocispec.Descriptor
	file   *os.File
	writer *writebackFile // writes to it
	hash   hash.Hash
	size   int64 // of what is in the file, and in the hash
	opened bool  // what was in the file is read: size is all of it
	closed bool
}

// Ingest begins to store a blob, or goes on where an interrupted run stopped:
// what is there already is hashed, and Size tells how much it is. A blob is
// ingested once at a time.
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
	i.writer = &writebackFile{file: i.file}
	if i.size, err = io.Copy(i.hash, interruptibleReader{i.file, i.dir.interrupted}); err != nil {
		return err
	}
	i.opened = true
	if i.size > i.desc.Size {
		return i.Reset()
	}
	return nil
}

// Size returns how many bytes are there.
func (i *Ingest) Size() int64 { return i.size }

// Write appends to the blob. More than the descriptor promises is a
// *MismatchError, and nothing of it is written.
func (i *Ingest) Write(p []byte) (int, error) {
	if size := i.size + int64(len(p)); size > i.desc.Size {
		return 0, &MismatchError{Descriptor: i.desc, Size: size}
	}
	n, err := i.writer.Write(p)
	i.hash.Write(p[:n])
	i.size += int64(n)
	return n, err
}

// Reset begins again at the start.
func (i *Ingest) Reset() error {
	i.hash.Reset()
	i.size = 0
	_, err := i.file.Seek(0, io.SeekStart)
	return errors.Join(i.file.Truncate(0), err)
}

// Commit verifies the blob and puts it in its place. What is not of the right
// size or digest is a *MismatchError, and is removed.
func (i *Ingest) Commit() error {
	got := &MismatchError{Descriptor: i.desc, Size: i.size}
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

// Close keeps what is there for another time. After Commit it does nothing.
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

// ingestName names the file of a blob as long as it is not whole.
func ingestName(d digest.Digest) string {
	return string(d.Algorithm()) + "-" + d.Encoded()
}
