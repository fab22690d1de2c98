//go:build !linux && !darwin && !windows

package store

// freeSpace cannot tell.
func freeSpace(string) (bytes int64, ok bool) { return 0, false }
