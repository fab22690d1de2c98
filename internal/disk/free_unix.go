//go:build linux || darwin

package disk

import "golang.org/x/sys/unix"

// freeSpace returns what the file system of path has left for this user.
func freeSpace(path string) (bytes int64, ok bool) {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return 0, false
	}
	return int64(fs.Bavail) * int64(fs.Bsize), true
}
