// Package atomicfile replaces files as a whole. New content is written to a file beside
// the one that it replaces, synced and renamed: whatever ends the process, or the power,
// readers find the old content or the new one.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/oras-mirror/oras-mirror/internal/disk"
)

// File is the new content of a file. It is not for concurrent use.
type File struct {
	lock *disk.FileLock // of what is written
	path string         // of the file that it replaces
	done bool
}

// Create opens an empty file beside path, in the same folder. It fails where Commit could
// not put a file. It removes what killed processes left there of the same file.
func Create(path string) (*File, error) {
	lock, err := disk.CreateUnfinished(path)
	if err != nil {
		return nil, err
	}
	return &File{lock: lock, path: path}, nil
}

// Write adds to the content.
func (f *File) Write(p []byte) (int, error) { return f.lock.File.Write(p) }

// Commit puts the content in place, with the mode 0644. Where path is a symbolic link,
// the link is replaced. If Commit fails, the old content stays.
func (f *File) Commit() error {
	file := f.lock.File
	if err := errors.Join(file.Chmod(0o644), SyncFile(file)); err != nil {
		return err
	}
	f.done = true
	err := f.lock.ReleaseAfter(func() error {
		err := os.Rename(file.Name(), f.path)
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
		return err
	})
	if err != nil {
		return err
	}
	// To sync a folder takes the right to read it, which a user may lack.
	if err := Sync(filepath.Dir(f.path)); !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return nil
}

// Close removes what was written, unless it is committed or Commit has removed it.
func (f *File) Close() error {
	if f.done {
		return nil
	}
	f.done = true
	return f.lock.ReleaseAfter(func() error { return os.Remove(f.lock.File.Name()) })
}
