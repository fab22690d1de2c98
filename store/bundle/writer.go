package bundle

import (
	"errors"
	"fmt"
	"io"
)

// Writer writes encoded entries one after the other, and the table. It only writes: hashing
// and compression happen before, concurrently. It is not safe for concurrent use.
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

// Offset returns the offset of the next byte.
func (w *Writer) Offset() int64 { return w.offset }

// Begin begins an entry. The name is LayoutFile, IndexFile, or one of BlobName.
func (w *Writer) Begin(name string) error {
	switch {
	case w.name != "":
		return errors.New("Begin before End of the last entry")
	case !inBundle(name):
		return fmt.Errorf("invalid bundle entry %.100q", name)
	case w.table.count >= maxEntries:
		return fmt.Errorf("a bundle has at most %d entries", maxEntries)
	}
	w.name, w.begun = name, w.offset
	return nil
}

// Write appends the output of an Encoder for the entry.
func (w *Writer) Write(encoded []byte) (int, error) {
	n, err := w.w.Write(encoded)
	w.offset += int64(n)
	return n, err
}

// End ends the entry and adds it to the table.
func (w *Writer) End() error {
	if w.name == "" {
		return errors.New("End without Begin")
	}
	w.table.add(w.name, w.begun)
	w.name = ""
	return nil
}

// Discard drops the current entry and returns the offset where it began. The caller
// truncates the file to that.
func (w *Writer) Discard() int64 {
	if w.name != "" {
		w.name, w.offset = "", w.begun
	}
	return w.offset
}

// Drop takes back the last entry, which has this name, and returns the offset where it began.
// The caller truncates the file to that.
func (w *Writer) Drop(name string) (int64, error) {
	offset, err := w.table.drop(name)
	if err == nil {
		w.offset = offset
	}
	return offset, err
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

// Close writes the end of the tar and the table. It does not close the underlying writer.
func (w *Writer) Close() error {
	if w.name != "" {
		return errors.New("Close before End of the last entry")
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
