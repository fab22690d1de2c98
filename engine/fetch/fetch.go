// Package fetch brings many bodies of bytes into one file, in the order of the
// file, through a memory of fixed size. It knows sizes, readers and writers; it
// does not know what the bytes mean or where they come from.
//
// Its rules, on which its freedom from deadlock rests:
//
//   - Memory is granted in the order of the file, before a request is made.
//     What was granted is enough to read all that was asked for, so a request
//     in flight waits neither for memory nor for the writer.
//   - What was granted is a prefix of the file. If the writer waits for a piece
//     that has no memory yet, all that has memory stands before that piece, and
//     comes free as it is written.
//   - A body that has to be fetched a second time takes its memory from a
//     reserve of one window that only the body at which the writer stands can
//     use. All other memory may be full of later bodies by then.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// ErrNoRange is what Open returns if the source cannot give a part of a body.
// The body is then asked for as a whole when the writer comes to it.
var ErrNoRange = errors.New("source gives no parts of a body")

// LengthError says that a source gave more or fewer bytes than it was asked for.
type LengthError struct {
	Offset, Asked int64
	Got           int64 // Asked + 1 means: at least one more
}

func (e *LengthError) Error() string {
	if e.Got > e.Asked {
		return fmt.Sprintf("more than the %d bytes at %d that were asked for", e.Asked, e.Offset)
	}
	return fmt.Sprintf("%d bytes at %d instead of %d", e.Got, e.Offset, e.Asked)
}

// Unwrap makes a short body an io.ErrUnexpectedEOF.
func (e *LengthError) Unwrap() error {
	if e.Got < e.Asked {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// Body is one run of bytes of known size.
type Body struct {
	Size int64

	// Open asks for n bytes at off. It may wait for a place in somebody's limit
	// that the reader gives back at Close. The end of ctx ends Open and also the
	// reads that follow, as it does with net/http. attempt counts from 0; another
	// attempt may ask another source. Calls are concurrent, for parts of one body
	// also. off > 0 or n < Size only for a body that is fetched in windows.
	Open func(ctx context.Context, attempt int, off, n int64) (io.ReadCloser, error)

	// Sink makes of the bytes what is written: it hashes and encodes. It is
	// called once per attempt. Its Close fails if the bytes were wrong; Close is
	// called in any case, exactly once. emit may be called during Write and Close
	// only; it copies p and never blocks. nil: the bytes are written as they came.
	Sink func(emit func(p []byte) error) io.WriteCloser

	Attempts int // 0 means 2
}

func (b *Body) attempts() int {
	if b.Attempts <= 0 {
		return 2
	}
	return b.Attempts
}

// Writer takes bodies one by one in order. All calls come from the goroutine
// that called Ordered; an error of any of them ends the run.
type Writer interface {
	// Begin starts body i.
	Begin(i int) error
	// Write adds to the body that was begun. p is valid during the call only.
	Write(p []byte) (int, error)
	// End says that the body is whole and right.
	End() error
	// Rollback takes back what was written since Begin. Begin may follow for the
	// same body. It is called for bodies in windows alone: the others are begun
	// when they are known to be right.
	Rollback() error
	// Failed says that body i cannot be had. It has no Begin that still counts.
	Failed(i int, err error) error
}

// also adds the error of a later attempt to that of the earlier ones.
func also(earlier, later error) error {
	if earlier == nil || earlier.Error() == later.Error() {
		return later
	}
	return fmt.Errorf("%w; then: %w", earlier, later)
}
