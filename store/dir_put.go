package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Has reports whether a blob is in the layout and can be trusted: its size is right, and
// index.json referenced it when the layout was opened (see trust), or this run wrote it,
// or Has hashes it now, once.
func (d *Dir) Has(desc ocispec.Descriptor) bool {
	size, err := d.Stat(desc.Digest)
	if err != nil || size != desc.Size {
		return false
	}
	if d.trust.has(desc.Digest) {
		return true
	}
	if hashBlob(d, desc, d.checkInterrupted) != nil {
		return false
	}
	d.stored(desc.Digest)
	return true
}

// Push stores a manifest or another small blob, unless the layout has it.
func (d *Dir) Push(desc ocispec.Descriptor, data []byte) error {
	if err := oci.CheckContent(desc, data); err != nil {
		return err
	}
	if d.Has(desc) {
		return nil
	}
	name := fmt.Sprintf("%s.%d", ingestName(desc.Digest), d.names.Add(1))
	file, err := d.openAside(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Close()); err == nil {
		err = d.putInPlace(name, desc.Digest)
	}
	if err != nil {
		os.Remove(d.aside(name))
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pushed = append(d.pushed, desc.Digest)
	return nil
}

// aside returns the path of a temporary file.
func (d *Dir) aside(name string) string { return filepath.Join(d.path, ingestFolder, name) }

// openAside opens a file in ingest/, which Commit removes when it is empty.
func (d *Dir) openAside(name string, flag int) (*os.File, error) {
	for {
		if err := d.makeInside(ingestFolder); err != nil {
			return nil, err
		}
		file, err := disk.OpenOwn(d.aside(name), flag)
		if !errors.Is(err, fs.ErrNotExist) {
			return file, err
		}
	}
}

// makeInside creates a folder and its parents, but not the folder of the layout: if that
// was removed, it is not created again.
func (d *Dir) makeInside(names ...string) error {
	path := d.path
	for _, name := range names {
		path = filepath.Join(path, name)
		if err := os.Mkdir(path, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// putInPlace renames a verified file to the path of its blob.
func (d *Dir) putInPlace(name string, g digest.Digest) error {
	path := d.blobPath(g)
	err := os.Rename(d.aside(name), path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := d.makeInside("blobs", string(g.Algorithm())); err != nil {
			return err
		}
		err = os.Rename(d.aside(name), path)
	}
	if err == nil {
		d.stored(g)
	}
	return err
}

// stored records a blob with verified bytes.
func (d *Dir) stored(g digest.Digest) {
	d.trust.add(g, bytesAlone)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unsynced = append(d.unsynced, g)
}

// checkInterrupted ends hashing when the run ends.
func (d *Dir) checkInterrupted(int64) error { return interruption(d.interrupted) }
