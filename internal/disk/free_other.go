//go:build !linux && !darwin && !windows

package disk

// freeSpace reports that the free space is unknown.
func freeSpace(string) (bytes int64, ok bool) { return 0, false }
