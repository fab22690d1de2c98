package store

import "os"

// writebackSize is the number of bytes after which the system is told to write them to the
// disk.
const writebackSize = 8 << 20

// writebackFile is a file that the system writes to the disk while more bytes come. Left
// alone it keeps gigabytes in memory, and the sync at the end of a run waits for all of
// them (576 MiB: 0.3 s of 0.8).
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
