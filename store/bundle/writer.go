package bundle

import (
	"errors"
	"io"
)

// Writer puts encoded entries one behind the other and keeps the table. It only
// writes: hashing and compressing happen before, side by side. It is not safe
// for concurrent use.
type Writer struct {
	w      io.Writer
	gzip   bool
	offset int64
	table  table
	name   string // of the entry that was begun
	begun  int64  // where it began
}

// NewWriter begins an archive at the start of w.
func NewWriter(w io.Writer, c Compression) *Writer {
	return &Writer{w: w, gzip: c == Gzip}
}

// Offset is where the next byte goes.
func (w *Writer) Offset() int64 { return w.offset }

// Begin starts an entry.
func (w *Writer) Begin(name string) error {
	if w.name != "" {
		return errors.New("an entry is begun before the last one has ended")
	}
	w.name, w.begun = name, w.offset
	return nil
}

// Continue goes on with an entry that was begun by another Writer, and of which
// the file has the bytes up to end.
func (w *Writer) Continue(name string, end int64) error {
	if err := w.Begin(name); err != nil {
		return err
	}
	w.offset = end
	return nil
}

// Write adds what an Encoder emitted for the entry.
func (w *Writer) Write(encoded []byte) (int, error) {
	n, err := w.w.Write(encoded)
	w.offset += int64(n)
	return n, err
}

// End notes the entry in the table.
func (w *Writer) End() error {
	defer func() { w.name = "" }()
	return w.table.add(w.name, w.begun)
}

// Discard forgets the entry that was begun and returns where it began. The
// caller truncates the file to that.
func (w *Writer) Discard() int64 {
	w.name, w.offset = "", w.begun
	return w.begun
}

// Put writes a whole entry.
func (w *Writer) Put(name string, content []byte) error {
	if err := w.Begin(name); err != nil {
		return err
	}
	c := None
	if w.gzip {
		c = Gzip
	}
	e := NewEncoder(c, name, int64(len(content)), func(p []byte) error { _, err := w.Write(p); return err })
	if _, err := e.Write(content); err != nil {
		return err
	}
	if err := e.Close(); err != nil {
		return err
	}
	return w.End()
}

// Close writes the end of the tar and the table. It does not close what it
// writes to.
func (w *Writer) Close() error {
	end := make([]byte, 2*tarBlock)
	if w.gzip {
		end = appendStored(nil, end)
	}
	if _, err := w.Write(end); err != nil || !w.gzip {
		return err
	}
	return w.table.write(w, w.offset)
}
