package bundle

import "io"

// Sequencer is a ReaderAt on which a read from front to end costs less than many small
// ones: each of those may be a request. A Reader reads an entry through one Sequence.
type Sequencer interface {
	io.ReaderAt
	// Sequence returns a reader of the bytes from off to end. It is read in order, but for
	// the bytes of the last read, which may be read again. The caller closes it.
	Sequence(off, end int64) Sequence
}

// Sequence is a part of a Sequencer. It is not for concurrent use.
type Sequence interface {
	io.ReaderAt
	io.Closer
}

// sequenceOf returns r itself if it has no sequences.
func sequenceOf(r io.ReaderAt, off, end int64) Sequence {
	if s, ok := r.(Sequencer); ok {
		return s.Sequence(off, end)
	}
	return plainSequence{r}
}

type plainSequence struct{ io.ReaderAt }

func (plainSequence) Close() error { return nil }

// endOf returns where the entry after the one at offset begins.
func (a *Reader) endOf(offset int64) int64 {
	if next, ok := a.directory.after(offset); ok {
		return next
	}
	return a.size
}
