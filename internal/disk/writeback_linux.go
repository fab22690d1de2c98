package disk

import (
	"os"

	"golang.org/x/sys/unix"
)

// startWriteback makes the disk start with what was written, without waiting. It
// guarantees nothing, so its error does not matter: the later sync decides
// (sync_file_range(2)).
func startWriteback(f *os.File) {
	_ = unix.SyncFileRange(int(f.Fd()), 0, 0, unix.SYNC_FILE_RANGE_WRITE)
}
