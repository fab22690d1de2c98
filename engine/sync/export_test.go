package sync

import "testing"

// SetPartSize makes a test copy few artifacts at a time.
func SetPartSize(t *testing.T, n int) {
	before := partSize
	partSize = n
	t.Cleanup(func() { partSize = before })
}

// PartSize returns how many artifacts are copied at a time.
func PartSize() int { return partSize }
