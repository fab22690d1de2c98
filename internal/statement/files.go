package statement

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store"
)

// PipeError reports an input that can be read only once, so that it cannot be hashed as well.
type PipeError struct{ Path string }

func (e *PipeError) Error() string { return e.Path + ": not a file or a directory" }

// HashFiles returns the files among the paths of inputs, in order, those in buckets too.
// Directories and layouts in a bucket have none. It ends with ctx.
func HashFiles(ctx context.Context, paths []string, buckets store.Buckets) ([]File, error) {
	var all []File
	for _, path := range paths {
		in, err := openFile(path, buckets)
		if err != nil {
			return nil, err
		}
		if in == nil {
			continue
		}
		hashed := Hash(in)
		if err := errors.Join(hashed.Rest(ctx), in.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, hashed.File(filepath.Base(path)))
	}
	return all, nil
}

// openFile opens an input that is a file; nil if it is none.
func openFile(path string, buckets store.Buckets) (io.ReadCloser, error) {
	if store.IsInBucket(path) {
		if store.IsLayoutInBucket(path) {
			return nil, nil
		}
		return store.OpenObject(path, buckets)
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, nil
	case !info.Mode().IsRegular():
		return nil, &PipeError{path}
	}
	return os.Open(path)
}

// Hashing is a reader that hashes what is read through it.
type Hashing struct {
	in       io.Reader
	digester digest.Digester
	size     int64
}

// Hash returns a reader that hashes what is read through it.
func Hash(in io.Reader) *Hashing { return &Hashing{in: in, digester: digest.SHA256.Digester()} }

func (h *Hashing) Read(p []byte) (int, error) {
	n, err := h.in.Read(p)
	h.digester.Hash().Write(p[:n])
	h.size += int64(n)
	return n, err
}

// restSize is the number of bytes that Rest reads before it looks whether ctx has ended.
const restSize = 16 << 20

// Rest reads the input to its end, unless ctx ends before.
func (h *Hashing) Rest(ctx context.Context) error {
	for ctx.Err() == nil {
		_, err := io.CopyN(io.Discard, h, restSize)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// File returns what was read as a file.
func (h *Hashing) File(name string) File {
	return File{Name: name, Digest: h.digester.Digest(), Size: h.size}
}
