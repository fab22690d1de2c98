//go:build unix

package console

import (
	"os"

	"golang.org/x/sys/unix"
)

// isClosed reports whether a standard stream was closed when the process started. The Go
// runtime then opens the null device instead, for reading and writing, and everything
// written there is lost without an error. ">/dev/null" opens the device only for writing;
// a user that opens it for both looks the same as a closed stream.
func isClosed(f *os.File) bool {
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	if err != nil {
		return true
	}
	stream, streamErr := f.Stat()
	null, nullErr := os.Stat(os.DevNull)
	return streamErr == nil && nullErr == nil && os.SameFile(stream, null) && flags&unix.O_ACCMODE == unix.O_RDWR
}
