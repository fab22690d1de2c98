//go:build unix

package store

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// notWaiting opens a pipe at once, whether or not its other end is open.
const notWaiting = unix.O_NONBLOCK

// openFIFO opens a pipe for writing. While it has no reader, that is errNoReader.
func openFIFO(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|notWaiting, 0)
	if errors.Is(err, unix.ENXIO) {
		return nil, errNoReader
	}
	return f, err
}

// openOwn opens a file that only we are to write to, or makes it. It follows no link in its
// place, and does not wait for the other end of a pipe.
func openOwn(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag|unix.O_NOFOLLOW|notWaiting, 0o644)
	if errors.Is(err, unix.ELOOP) {
		return nil, &StrangerError{Path: path}
	}
	if err != nil {
		return nil, err
	}
	return regular(f, &StrangerError{Path: path})
}
