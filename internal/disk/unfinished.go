package disk

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// unfinishedSuffix ends the names of files that are not complete.
const unfinishedSuffix = ".partial"

// CreateUnfinished creates an empty file beside path, named path.NUMBER.partial, and locks it.
// Before that it removes such files of path that no living process has locked.
func CreateUnfinished(path string) (*FileLock, error) {
	removeAbandoned(path)
	for {
		file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*"+unfinishedSuffix)
		if err != nil {
			return nil, err
		}
		// Where files cannot be locked, no other process removes it.
		locked, err := tryLock(file)
		if err != nil || locked && InPlace(file, file.Name()) {
			return &FileLock{File: file}, nil
		}
		file.Close() // another process has removed it between our open and our lock
	}
}

// namesAtOnce bounds the memory for the names of a large folder.
const namesAtOnce = 1000

// removeAbandoned removes the unfinished files of path that killed processes left. What it cannot
// read or remove, it leaves.
func removeAbandoned(path string) {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return
	}
	defer folder.Close()
	for {
		names, err := folder.Readdirnames(namesAtOnce)
		for _, name := range names {
			if isUnfinished(name, filepath.Base(path)) {
				_ = removeUnlocked(filepath.Join(folder.Name(), name))
			}
		}
		if err != nil || len(names) == 0 { // io.EOF as a rule
			return
		}
	}
}

// isUnfinished reports whether CreateUnfinished gave a name to a file of a target.
func isUnfinished(name, target string) bool {
	number, found := strings.CutPrefix(name, target+".")
	number, isPartial := strings.CutSuffix(number, unfinishedSuffix)
	return found && isPartial && number != "" && strings.Trim(number, "0123456789") == ""
}

// leastAge is the age from which a file is removed where its owner unlocks it before it is renamed.
const leastAge = time.Hour

// removeUnlocked removes a file unless another process has locked it.
func removeUnlocked(path string) error {
	file, err := OpenOwn(path, os.O_RDWR)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil || !movesOpenFiles && time.Since(info.ModTime()) < leastAge {
		return errors.Join(err, file.Close())
	}
	if locked, err := tryLock(file); err != nil || !locked || !InPlace(file, path) {
		return errors.Join(err, file.Close())
	}
	return (&FileLock{File: file}).ReleaseAfter(func() error { return os.Remove(path) })
}
