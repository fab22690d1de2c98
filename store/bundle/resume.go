package bundle

import (
	"fmt"
	"io"
)

// Open opens the part of a recovered entry that is there.
func (e RecoveredEntry) Open(r io.ReaderAt, c Compression) (io.ReadCloser, error) {
	if c == None {
		begin := e.Offset + int64(len(tarHeader(nil, e.Name, e.Size)))
		return io.NopCloser(io.NewSectionReader(r, begin, e.Content)), nil
	}
	entry, err := openEntry(plainSequence{r}, e.End, e.Name, e.Offset)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(entry, e.Content), entry}, nil
}

// Resume returns a Writer that continues after recovered entries. w continues at the End of
// the last one.
func Resume(w io.Writer, c Compression, entries []RecoveredEntry) (*Writer, error) {
	resumed := NewWriter(w, c)
	return resumed, resumed.resume(entries)
}

func (w *Writer) resume(entries []RecoveredEntry) error {
	for _, e := range entries {
		if e.Offset != w.offset {
			return fmt.Errorf("expected %s at byte %d, found at %d", e.Name, w.offset, e.Offset)
		}
		w.table.add(e.Name, e.Offset)
		w.offset = e.End
	}
	return nil
}

// TarSize returns the bytes that an entry takes in the tar: header, content and padding.
func TarSize(name string, size int64) int64 {
	var scratch [longHeader]byte
	return int64(len(tarHeader(scratch[:0], name, size))) + size + padding(size)
}

// Left returns the number of bytes of the tar that the entry lacks. What is there of it ends
// with a member.
func (e RecoveredEntry) Left() int64 {
	header := int64(len(tarHeader(nil, e.Name, e.Size)))
	there := (header + e.Content + memberData - 1) / memberData * memberData
	return max(0, TarSize(e.Name, e.Size)-there)
}

// Continue continues an entry that another Writer began and whose bytes up to end are in the
// file. The rest comes from the entry's Encoder.
func (w *Writer) Continue(name string, end int64) error {
	if err := w.Begin(name); err != nil {
		return err
	}
	w.offset = end
	return nil
}
