package store

import (
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// folder reads a layout in a directory.
type folder struct {
	path  string
	index *oci.Index
}

// openFolder reads the index.json of the layout in path.
func openFolder(path string) (*folder, error) {
	layout, err := disk.OpenRegular(filepath.Join(path, bundle.LayoutFile))
	if err != nil {
		return nil, err
	}
	defer layout.Close()
	if err := checkLayoutFile(layout); err != nil {
		return nil, err
	}
	f, err := disk.OpenRegular(filepath.Join(path, bundle.IndexFile))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	index, err := oci.ReadIndex(f)
	return &folder{path: path, index: index}, err
}

func (f *folder) Index() *oci.Index { return f.index }
func (f *folder) Close() error      { return nil }

// ForgetIndex empties the index to free its memory.
func (f *folder) ForgetIndex() {
	f.index.Release()
	f.index = new(oci.Index)
}

func (f *folder) Open(d digest.Digest) (Blob, error) {
	path, size, err := f.find(d)
	if err != nil {
		return nil, err
	}
	file, err := disk.OpenRegular(path)
	if err != nil {
		return nil, err
	}
	return &fileBlob{file: file, size: size}, nil
}

func (f *folder) Stat(d digest.Digest) (int64, error) {
	_, size, err := f.find(d)
	return size, err
}

func (f *folder) find(d digest.Digest) (path string, size int64, err error) {
	// A digest becomes part of a path, so it must be valid.
	if err := d.Validate(); err != nil {
		return "", 0, fmt.Errorf("%.200q: %w", d, err)
	}
	path = f.blobPath(d)
	info, err := os.Stat(path)
	if err != nil {
		return "", 0, err
	}
	if !info.Mode().IsRegular() {
		return "", 0, &fs.PathError{Op: "open", Path: path, Err: disk.ErrNotRegular}
	}
	return path, info.Size(), nil
}

func (f *folder) blobPath(d digest.Digest) string {
	return filepath.Join(f.path, filepath.FromSlash(bundle.BlobName(d)))
}

// blobs lists the files in blobs/ that have the name of a blob.
func (f *folder) blobs() iter.Seq[digest.Digest] {
	return func(yield func(digest.Digest) bool) {
		algorithms, _ := os.ReadDir(filepath.Join(f.path, "blobs")) // what cannot be listed fails when it is opened
		for _, a := range algorithms {
			if a.IsDir() && !f.blobsOf(a.Name(), yield) {
				return
			}
		}
	}
}

// blobsOf lists the blobs of one algorithm. It reads some names at a time: the names of a million
// blobs take several hundred megabytes.
func (f *folder) blobsOf(algorithm string, yield func(digest.Digest) bool) (more bool) {
	dir, err := os.Open(filepath.Join(f.path, "blobs", algorithm))
	if err != nil {
		return true
	}
	defer dir.Close()
	for {
		entries, err := dir.ReadDir(1024)
		for _, entry := range entries {
			if d, ok := blobDigest("blobs/" + algorithm + "/" + entry.Name()); ok && !entry.IsDir() && !yield(d) {
				return false
			}
		}
		if err != nil {
			return true
		}
	}
}

// fileBlob is a blob in a file.
type fileBlob struct {
	file *os.File
	size int64
}

func (b *fileBlob) Read(p []byte) (int, error) { return b.file.Read(p) }
func (b *fileBlob) Close() error               { return b.file.Close() }
func (b *fileBlob) Size() int64                { return b.size }
func (b *fileBlob) File() *os.File             { return b.file }

// blobDigest returns the digest in the path of a blob.
func blobDigest(name string) (digest.Digest, bool) {
	rest, ok := strings.CutPrefix(name, "blobs/")
	algorithm, encoded, found := strings.Cut(rest, "/")
	d := digest.NewDigestFromEncoded(digest.Algorithm(algorithm), encoded)
	return d, ok && found && d.Validate() == nil
}

// OpenRandom opens a blob.
func (f *folder) OpenRandom(d digest.Digest) (RandomBlob, error) {
	blob, err := f.Open(d)
	if err != nil {
		return nil, err
	}
	return randomFile{blob.(*fileBlob)}, nil
}

// OpenWhole opens a blob that is read from its start.
func (f *folder) OpenWhole(d digest.Digest) (RandomBlob, error) { return f.OpenRandom(d) }

// randomFile is a blob in a file.
type randomFile struct{ *fileBlob }

func (b randomFile) Stamp() (Stamp, error) { return stampOf(b.file) }

func (b randomFile) WriteRange(w io.Writer, from, n int64) error {
	if n == 0 {
		return nil
	}
	if _, err := b.file.Seek(from, io.SeekStart); err != nil {
		return err
	}
	buffer := hashBuffers.Get().(*hashBuffer)
	defer hashBuffers.Put(buffer)
	written, err := io.CopyBuffer(w, io.LimitReader(b.file, n), buffer[:]) // or in the kernel
	if err == nil && written < n {
		err = io.ErrUnexpectedEOF
	}
	return err
}
