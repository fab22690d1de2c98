package store

import "os"

const notWaiting = 0

func openFIFO(path string) (*os.File, error) { return os.OpenFile(path, os.O_WRONLY, 0) }

// openOwn opens a file that only we are to write to, or makes it. It follows no link in
// its place.
func openOwn(path string, flag int) (*os.File, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSymlink != 0 {
		return nil, &StrangerError{Path: path}
	}
	f, err := os.OpenFile(path, flag, 0o644)
	if err != nil {
		return nil, err
	}
	return regular(f, &StrangerError{Path: path})
}
