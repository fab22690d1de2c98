package bundle

import (
	"errors"
	"fmt"
	"io"
)

// Writer puts encoded entries one behind the other and keeps the table. It only
// writes: hashing and compressing happen before, side by side. It is not safe
// for concurrent use.
type Writer struct {
	w           io.Writer
	compression Compression
	offset      int64
	table       table
	name        string // of the entry that was begun
	begun       int64  // where it began
}

// NewWriter begins an archive at the start of w.
func NewWriter(w io.Writer, c Compression) *Writer {
	return &Writer{w: w, compression: c}
}

// Offset is where the next byte goes.
func (w *Writer) Offset() int64 { return w.offset }

// Begin starts an entry. Its name is LayoutFile, IndexFile, or what BlobName
// gives.
func (w *Writer) Begin(name string) error {
	switch {
	case w.name != "":
		return errors.New("an entry is begun before the last one has ended")
	case !inBundle(name):
		return fmt.Errorf("an entry named %.100q has no place in a bundle", name)
	case w.table.count >= maxEntries:
		return fmt.Errorf("a bundle has no more than %d entries", maxEntries)
	}
	w.name, w.begun = name, w.offset
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
	if w.name == "" {
		return errors.New("an entry is ended that was not begun")
	}
	w.table.add(w.name, w.begun)
	w.name = ""
	return nil
}

// Discard forgets the entry that was begun and returns where it began. The
// caller truncates the file to that.
func (w *Writer) Discard() int64 {
	if w.name != "" {
		w.name, w.offset = "", w.begun
	}
	return w.offset
}

// Put writes a whole entry.
func (w *Writer) Put(name string, content []byte) error {
	if err := w.Begin(name); err != nil {
		return err
	}
	e := NewEncoder(w.compression, name, int64(len(content)), func(p []byte) error { _, err := w.Write(p); return err })
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
	if w.name != "" {
		return errors.New("an archive is closed before its last entry has ended")
	}
	end := make([]byte, tarEnd)
	if w.compression == Gzip {
		end = appendStored(nil, end)
	}
	if _, err := w.Write(end); err != nil || w.compression == None {
		return err
	}
	return w.table.write(w, w.offset)
}
