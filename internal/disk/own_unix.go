//go:build unix

package disk

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// nonBlocking makes the opening of a pipe return at once, even without another end.
const nonBlocking = unix.O_NONBLOCK

// OpenFIFO opens a pipe for writing. While it has no reader, the error is ErrNoReader.
func OpenFIFO(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|nonBlocking, 0)
	if errors.Is(err, unix.ENXIO) {
		return nil, ErrNoReader
	}
	return f, err
}

// OpenOwn opens a file that only oras-mirror writes to, or creates it. It does not
// follow a link in its place, and does not wait for the other end of a pipe.
func OpenOwn(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag|unix.O_NOFOLLOW|nonBlocking, 0o644)
	if errors.Is(err, unix.ELOOP) {
		return nil, &StrangerError{Path: path}
	}
	if err != nil {
		return nil, err
	}
	return requireRegular(f, &StrangerError{Path: path})
}
