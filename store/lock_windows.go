package store

import (
	"os"

	"golang.org/x/sys/windows"
)

// movesOpenFiles says that a file can be renamed while it is open.
const movesOpenFiles = false

// tryLock locks file for this process, or says that another one has it. A lock
// keeps others from the bytes it covers, so it covers one far behind any end.
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
