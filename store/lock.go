package store

import (
	"errors"
	"os"
)

// fileLock is a file that one process at a time can lock. The lock ends with the process,
// however that ends.
type fileLock struct{ file *os.File }

// lockFile opens path, creates it if needed, and locks it. If it is locked already, the
// error is a *LockedError.
func lockFile(path string) (*fileLock, error) {
	for {
		file, err := openOwnFile(path, os.O_RDWR|os.O_CREATE)
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
		case inPlace(file, path):
			return &fileLock{file: file}, nil
		}
		// The previous owner renamed or removed the file between our open and our lock, so the
		// next process will find another file.
		file.Close()
	}
}

func inPlace(file *os.File, path string) bool {
	held, err := file.Stat()
	if err != nil {
		return false
	}
	found, err := os.Lstat(path)
	return err == nil && os.SameFile(held, found)
}

// release unlocks the file.
func (l *fileLock) release() error { return l.file.Close() }

// releaseAfter calls move, which renames or removes the file, and unlocks it: in that
// order where the system can move open files, so that no other process can lock it in
// between.
func (l *fileLock) releaseAfter(move func() error) error {
	if !movesOpenFiles {
		if err := l.release(); err != nil {
			return err
		}
		return move()
	}
	return errors.Join(move(), l.release())
}
