package object

import (
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store/bucket"
)

// Expect chooses the size of the parts for so many more bytes at most. If the parts do not fit into
// the memory, the error is a *BufferError.
func (w *Writer) Expect(bytes int64) error {
	before := w.at + int64(len(w.held))*MinPart + int64(len(w.buffer))
	total := before + bytes + bytes/100 // members take less than a hundredth more
	need := max(MinPart, (total+bucket.MaxParts-1)/bucket.MaxParts)
	tooLarge := w.memory > 0 && need > max(w.memory/buffers, MinPart)
	tooLate := w.settled && need > w.PartSize // there was no room to hold what came before
	if tooLarge || tooLate {
		return &BufferError{Buffer: max(need*buffers, (before/MinPart+2)*MinPart*heldShare)}
	}
	return w.settle(max(need, w.PartSize))
}

// heldShare is the share of the buffer that is used before the size of the object is known:
// 1/heldShare. No blob is fetched meanwhile.
const heldShare = 2

// next makes room for more: it sends the buffer, or holds it while the size of the parts may
// still change.
func (w *Writer) next() error {
	if w.settled {
		return w.send()
	}
	room := w.memory == 0 || int64(len(w.held)+2)*MinPart <= w.memory/heldShare
	if room && bounds.Take(MinPart) == nil {
		w.held, w.buffer = append(w.held, w.buffer), nil
		return nil
	}
	return w.settle(w.PartSize)
}

// settle makes the size of the parts final, and sends what was held.
func (w *Writer) settle(partSize int64) error {
	if w.settled {
		return nil
	}
	held, last := w.held, w.buffer
	w.settled, w.PartSize, w.held, w.buffer = true, partSize, nil, nil
	defer bounds.Give(int64(len(held)) * MinPart)
	for i, piece := range held {
		held[i] = nil
		if _, err := w.Write(piece); err != nil {
			return err
		}
	}
	_, err := w.Write(last)
	return err
}

// forget frees what was held.
func (w *Writer) forget() {
	bounds.Give(int64(len(w.held)) * MinPart)
	w.held = nil
}
