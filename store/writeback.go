package store

import "os"

// earlyPiece is how much is written before the disk is set to work on it.
const writebackSize = 8 << 20

// early is a file whose bytes the system begins to put on the disk while more of
// them come. Left to itself it keeps gigabytes in memory, and the sync at the end
// of a run waits for all of them (576 MiB: 0.3 s of 0.8).
type writebackFile struct {
	file    *os.File
	pending int64 // bytes since the disk was told last
}

func (e *writebackFile) Write(p []byte) (int, error) {
	n, err := e.file.Write(p)
	if e.pending += int64(n); e.pending >= writebackSize {
		e.pending = 0
		startWriteback(e.file)
	}
	return n, err
}
