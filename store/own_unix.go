//go:build unix

package store

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// notWaiting opens a pipe at once, whether or not somebody holds its other end.
const notWaiting = unix.O_NONBLOCK

// openFIFO opens a pipe for writing. While nobody reads it, it is errNoReader.
func openFIFO(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|notWaiting, 0)
	if errors.Is(err, unix.ENXIO) {
		return nil, errNoReader
	}
	return f, err
}

// openOwn opens a file that only we are to write to, or makes it. It follows no link that
// somebody put in its place, and waits for nobody at a pipe.
func openOwn(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag|unix.O_NOFOLLOW|notWaiting, 0o644)
	if errors.Is(err, unix.ELOOP) {
		return nil, &StrangerError{Path: path}
	}
	return regular(f, err)
}
