package bundle

import (
	"errors"
	"fmt"
	"io"
)

// Encoder encodes one entry: a tar header, the content, padding, split into members. It is
// not safe for concurrent use; any number of them may be used concurrently, ahead of the one
// Writer.
type Encoder struct {
	emit    func(p []byte) error
	frame   framer // nil until the content's first bytes tell which
	name    string
	gzip    bool
	size    int64 // of the content
	written int64
	head    [sniffLength]byte // of the content
	sniffed int               // bytes of it that are there
	before  *Encoder          // of the first piece of the same blob, whose frame this one has; nil for another entry
	err     error             // the first one
}

var errClosed = errors.New("the entry is closed")

// NewEncoder begins an entry of size bytes. It calls emit with at most maxMember bytes at a
// time, which are valid only during the call.
func NewEncoder(c Compression, name string, size int64, emit func(p []byte) error) *Encoder {
	e := &Encoder{emit: emit, name: name, gzip: c == Gzip, size: size}
	if !inBundle(name) || size < 0 || size > maxSize {
		e.err = fmt.Errorf("invalid bundle entry %.100q of %d bytes", name, size)
	}
	return e
}

// Write encodes content. More than the entry's size is an error. After an error all calls
// return it.
func (e *Encoder) Write(p []byte) (int, error) {
	if e.err == nil && int64(len(p)) > e.size-e.written {
		e.err = fmt.Errorf("%s has more than %d bytes", e.name, e.size)
	}
	if e.err == nil {
		e.err = e.write(p)
	}
	if e.err != nil {
		return 0, e.err
	}
	return len(p), nil
}

func (e *Encoder) write(p []byte) error {
	e.written += int64(len(p))
	if e.frame == nil {
		n := copy(e.head[e.sniffed:], p)
		e.sniffed += n
		p = p[n:]
		if e.sniffed < sniffLength && e.written < e.size {
			return nil
		}
		if err := e.begin(); err != nil {
			return err
		}
	}
	return e.frame.feed(p)
}

// begin chooses the frame by the first bytes of the content.
func (e *Encoder) begin() error {
	var scratch [longHeader]byte
	header := tarHeader(scratch[:0], e.name, e.size)
	head := e.head[:e.sniffed]
	first := head
	if e.before != nil {
		first = e.before.head[:e.before.sniffed]
	}
	e.frame = e.newFrame(first, int64(len(header))+e.size+padding(e.size))
	if err := e.frame.feed(header); err != nil {
		return err
	}
	return e.frame.feed(head)
}

// newFrame returns the frame for a blob that begins with head, and for rest bytes of the
// tar.
func (e *Encoder) newFrame(head []byte, rest int64) framer {
	switch {
	case !e.gzip:
		return plain{e.emit}
	case isCompressed(head):
		return &storer{emit: e.emit, rest: rest}
	}
	return &deflater{emit: e.emit}
}

var zeros [tarBlock]byte

// Close ends the entry. Less than the entry's size is an error.
func (e *Encoder) Close() error {
	if e.err == nil && e.written < e.size {
		e.err = fmt.Errorf("%s: expected %d bytes, got %d: %w", e.name, e.size, e.written, io.ErrUnexpectedEOF)
	}
	if e.err == nil && e.frame == nil {
		e.err = e.begin()
	}
	if e.err == nil {
		e.err = e.frame.feed(zeros[:padding(e.size)])
	}
	err := e.err
	if e.frame != nil {
		err = e.frame.close(err)
	}
	e.frame, e.err = nil, errClosed
	return err
}
