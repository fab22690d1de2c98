package disk

import (
	"errors"
	"os"
)

// FileLock is a file that one process at a time can lock. The lock ends with the process,
// however that ends.
type FileLock struct{ File *os.File }

// Lock opens path, creates it if needed, and locks it. If it is locked already, the
// error is a *LockedError.
func Lock(path string) (*FileLock, error) {
	for {
		file, err := OpenOwn(path, os.O_RDWR|os.O_CREATE)
		if err != nil {
			return nil, err
		}
		locked, err := tryLock(file)
		switch {
		case err != nil:
			file.Close()
			return nil, err
		case !locked:
			file.Close()
			return nil, &LockedError{Path: path}
		case InPlace(file, path):
			return &FileLock{File: file}, nil
		}
		// The previous owner renamed or removed the file between our open and our lock, so the
		// next process will find another file.
		file.Close()
	}
}

// InPlace reports whether path still is the file that was opened.
func InPlace(file *os.File, path string) bool {
	held, err := file.Stat()
	if err != nil {
		return false
	}
	found, err := os.Lstat(path)
	return err == nil && os.SameFile(held, found)
}

// Release unlocks the file.
func (l *FileLock) Release() error { return l.File.Close() }

// ReleaseAfter calls move, which renames or removes the file, and unlocks it: in that
// order where the system can move open files, so that no other process can lock it in
// between.
func (l *FileLock) ReleaseAfter(move func() error) error {
	if !movesOpenFiles {
		if err := l.Release(); err != nil {
			return err
		}
		return move()
	}
	return errors.Join(move(), l.Release())
}
