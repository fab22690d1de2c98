package store

import (
	"os"

	"golang.org/x/sys/unix"
)

// startWriteback has the disk begin with all that was written, and waits for
// nothing. It promises nothing either, so its error is nobody's concern: the sync
// that follows is what counts (sync_file_range(2)).
func startWriteback(f *os.File) {
	_ = unix.SyncFileRange(int(f.Fd()), 0, 0, unix.SYNC_FILE_RANGE_WRITE)
}
