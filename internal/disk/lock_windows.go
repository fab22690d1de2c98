package disk

import (
	"os"

	"golang.org/x/sys/windows"
)

// movesOpenFiles reports whether an open file can be renamed.
const movesOpenFiles = false

// tryLock locks file, or reports that another process has locked it. On Windows others
// cannot read the locked bytes, so it locks one far beyond the end.
func tryLock(file *os.File) (bool, error) {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	far := &windows.Overlapped{OffsetHigh: 1 << 30}
	err := windows.LockFileEx(windows.Handle(file.Fd()), flags, 0, 1, 0, far)
	switch err {
	case nil:
		return true, nil
	case windows.ERROR_LOCK_VIOLATION, windows.ERROR_IO_PENDING:
		return false, nil
	}
	return false, os.NewSyscallError("LockFileEx", err)
}
