package disk

import "os"

// writebackSize is the number of bytes after which the system is told to write them to the
// disk.
const writebackSize = 8 << 20

// WritebackFile is a file that the system writes to the disk while more bytes come. Left
// alone it keeps gigabytes in memory, and the sync at the end of a run waits for all of
// them (576 MiB: 0.3 s of 0.8).
type WritebackFile struct {
	File    *os.File
	pending int64 // bytes since the disk was told last
}

// Write writes p, and tells the disk to start when there is enough.
func (w *WritebackFile) Write(p []byte) (int, error) {
	n, err := w.File.Write(p)
	if w.pending += int64(n); w.pending >= writebackSize {
		w.pending = 0
		startWriteback(w.File)
	}
	return n, err
}
