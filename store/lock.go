package store

import (
	"errors"
	"os"
)

// fileLock is a file that one process at a time has locked. The lock ends with
// the process, however it ends.
type fileLock struct{ file *os.File }

// lockFile opens path, makes it if need be, and locks it. A file that is locked
// already is a *LockedError.
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
		// The one who had it renamed or removed it between our open and our
		// lock: what we hold is not what the next process will find.
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

// release gives the lock back.
func (l *fileLock) release() error { return l.file.Close() }

// releaseAfter renames or removes the locked file and gives the lock back: in
// that order where the system lets it, so that no other process gets at the file between.
func (l *fileLock) releaseAfter(move func() error) error {
	if !movesOpenFiles {
		if err := l.release(); err != nil {
			return err
		}
		return move()
	}
	return errors.Join(move(), l.release())
}
