package statement

import (
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

// HashFiles returns the files among the paths of inputs, in order. Directories and what is in a
// bucket have none.
func HashFiles(paths []string) ([]File, error) {
	var all []File
	for _, path := range paths {
		if store.IsInBucket(path) {
			continue
		}
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return nil, err
		case info.IsDir():
			continue
		case !info.Mode().IsRegular():
			return nil, &PipeError{path}
		}
		f, err := hashFile(path)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

func hashFile(path string) (File, error) {
	in, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer in.Close()
	hashed := Hash(in)
	if _, err := io.Copy(io.Discard, hashed); err != nil {
		return File{}, fmt.Errorf("%s: %w", path, err)
	}
	return hashed.File(filepath.Base(path)), nil
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

// Rest reads the input to its end.
func (h *Hashing) Rest() error {
	_, err := io.Copy(io.Discard, h)
	return err
}

// File returns what was read as a file.
func (h *Hashing) File(name string) File {
	return File{Name: name, Digest: h.digester.Digest(), Size: h.size}
}
