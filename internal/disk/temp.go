package disk

import (
	"errors"
	"os"
)

// TempFile is a temporary file that leaves nothing behind, however the process ends: it is
// removed at once, where the system can remove an open file.
type TempFile struct {
	*os.File
	named bool // Close removes it
}

// CreateTemp creates a temporary file in a folder; "" means os.TempDir.
func CreateTemp(dir string) (*TempFile, error) {
	f, err := os.CreateTemp(dir, "oras-mirror-*")
	if err != nil {
		return nil, err
	}
	return &TempFile{f, os.Remove(f.Name()) != nil}, nil
}

// Close closes and removes the file.
func (t *TempFile) Close() error {
	err := t.File.Close()
	if t.named {
		err = errors.Join(err, os.Remove(t.Name()))
	}
	return err
}
