//go:build unix

package store

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// openOwn opens a file that only we are to write to, or makes it. It follows no link that
// somebody put in its place, and waits for nobody at a pipe.
func openOwn(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o644)
	if errors.Is(err, unix.ELOOP) {
		return nil, &StrangerError{Path: path}
	}
	return regular(f, err)
}
