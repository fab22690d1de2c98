package disk

import "os"

const nonBlocking = 0

// OpenFIFO opens a pipe for writing.
func OpenFIFO(path string) (*os.File, error) { return os.OpenFile(path, os.O_WRONLY, 0) }

// OpenOwn opens a file that only oras-mirror writes to, or creates it. It does not
// follow a link in its place.
func OpenOwn(path string, flag int) (*os.File, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSymlink != 0 {
		return nil, &StrangerError{Path: path}
	}
	f, err := os.OpenFile(path, flag, 0o644)
	if err != nil {
		return nil, err
	}
	return requireRegular(f, &StrangerError{Path: path})
}
