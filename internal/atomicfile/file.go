// Package atomicfile replaces files as a whole. New content is written to a file beside
// the one that it replaces, synced and renamed: whatever ends the process, or the power,
// readers find the old content or the new one.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// File is the new content of a file. It is not for concurrent use.
type File struct {
	file *os.File
	path string // of the file that it replaces
	done bool
}

// Create opens an empty file beside path, in the same folder. It fails where Commit could
// not put a file.
func Create(path string) (*File, error) {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.partial")
	if err != nil {
		return nil, err
	}
	return &File{file: file, path: path}, nil
}

// Write adds to the content.
func (f *File) Write(p []byte) (int, error) { return f.file.Write(p) }

// Commit puts the content in place, with the mode 0644. Where path is a symbolic link,
// the link is replaced. If Commit fails, the old content stays.
func (f *File) Commit() error {
	if err := errors.Join(f.file.Chmod(0o644), SyncFile(f.file)); err != nil {
		return err
	}
	if err := f.file.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.file.Name(), f.path); err != nil {
		return err
	}
	f.done = true
	// To sync a folder takes the right to read it, which a user may lack.
	if err := Sync(filepath.Dir(f.path)); !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

// Close removes what was written, unless it is committed.
func (f *File) Close() error {
	if f.done {
		return nil
	}
	f.done = true
	err := f.file.Close()
	if errors.Is(err, os.ErrClosed) { // by Commit
		err = nil
	}
	return errors.Join(err, os.Remove(f.file.Name()))
}
