package bundle

import (
	"fmt"
	"io"
)

// Open reads the part of a recovered entry that is there.
func (e RecoveredEntry) Open(r io.ReaderAt, c Compression) (io.ReadCloser, error) {
	if c == None {
		begin := e.Offset + int64(len(tarHeader(nil, e.Name, e.Size)))
		return io.NopCloser(io.NewSectionReader(r, begin, e.Content)), nil
	}
	entry, err := openEntry(r, e.End, e.Name, e.Offset)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(entry, e.Content), entry}, nil
}

// Resume makes a Writer that goes on behind entries that were recovered. w goes
// on at the last one's End.
func Resume(w io.Writer, c Compression, entries []RecoveredEntry) (*Writer, error) {
	resumed := NewWriter(w, c)
	for _, e := range entries {
		if e.Offset != resumed.offset {
			return nil, fmt.Errorf("%s is at byte %d, not at %d", e.Name, e.Offset, resumed.offset)
		}
		resumed.table.add(e.Name, e.Offset)
		resumed.offset = e.End
	}
	return resumed, nil
}

// Continue goes on with an entry that was begun by another Writer, and of which
// the file has the bytes up to end. The rest comes from the entry's Encoder.
func (w *Writer) Continue(name string, end int64) error {
	if err := w.Begin(name); err != nil {
		return err
	}
	w.offset = end
	return nil
}
