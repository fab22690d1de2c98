//go:build unix && !aix && !solaris

package disk

import (
	"os"

	"golang.org/x/sys/unix"
)

// movesOpenFiles reports whether an open file can be renamed.
const movesOpenFiles = true

// tryLock locks file, or reports that another process has locked it.
func tryLock(file *os.File) (bool, error) {
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch err {
		case nil:
			return true, nil
		case unix.EWOULDBLOCK:
			return false, nil
		case unix.EINTR:
			continue
		}
		return false, os.NewSyscallError("flock", err)
	}
}
