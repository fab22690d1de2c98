//go:build unix

package console

import (
	"os"

	"golang.org/x/sys/unix"
)

// isClosed reports whether a standard stream was closed when the process began. The Go
// runtime opens the null device in its place, for reading and writing, and what is
// written there is lost without an error. A user who throws an output away opens that device
// for writing alone, as ">/dev/null" does; one that does not cannot be told apart.
func isClosed(f *os.File) bool {
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	if err != nil {
		return true
	}
	stream, streamErr := f.Stat()
	null, nullErr := os.Stat(os.DevNull)
	return streamErr == nil && nullErr == nil && os.SameFile(stream, null) && flags&unix.O_ACCMODE == unix.O_RDWR
}
