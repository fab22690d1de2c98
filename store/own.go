package store

import (
	"bytes"
	"io"

	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// checkOwnArchive returns a *disk.StrangerError unless the content of a file is the start of an
// archive of oras-mirror, or empty. Such a file must not be overwritten.
func checkOwnArchive(f io.ReaderAt, path string) error {
	head := make([]byte, len(bundle.TarHead(layoutFile)))
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return err
	}
	return checkOwnHead(head[:n], path)
}

// checkOwnHead is checkOwnArchive for the start of a file.
func checkOwnHead(head []byte, path string) error {
	if bundle.BeginsMember(head) || bytes.HasPrefix(bundle.TarHead(layoutFile), head) {
		return nil
	}
	return &disk.StrangerError{Path: path}
}
