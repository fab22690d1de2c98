package store

import (
	"errors"
	"os"
)

// TempFile is a temporary file that leaves nothing behind, however the process ends: it
// loses its name at once, where the system lets an open file do that.
type TempFile struct {
	*os.File
	named bool // Close has to remove it
}

// CreateTemp makes one in a folder; "" means os.TempDir.
func CreateTemp(dir string) (*TempFile, error) {
	f, err := os.CreateTemp(dir, "oras-mirror-*")
	if err != nil {
		return nil, err
	}
	return &TempFile{f, os.Remove(f.Name()) != nil}, nil
}

// Close closes the file, which then is gone.
func (t *TempFile) Close() error {
	err := t.File.Close()
	if t.named {
		err = errors.Join(err, os.Remove(t.Name()))
	}
	return err
}
