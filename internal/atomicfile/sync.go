package atomicfile

import (
	"errors"
	"os"
	"runtime"
	"syscall"
)

// Sync makes a file or a folder survive a loss of power. The names in a folder survive
// once the folder is synced. On Windows it does nothing with a folder.
func Sync(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	flag := os.O_RDONLY
	if runtime.GOOS == "windows" {
		if info.IsDir() {
			return nil // folders cannot be synced there
		}
		flag = os.O_RDWR // and only what is open for writing can
	}
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return err
	}
	return errors.Join(SyncFile(f), f.Close())
}

// SyncFile makes an open file survive a loss of power. A file system that cannot sync is
// no error.
func SyncFile(f *os.File) error {
	err := f.Sync()
	if errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.EINVAL) {
		return nil
	}
	return err
}
