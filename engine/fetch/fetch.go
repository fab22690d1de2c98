// Package fetch fetches many bodies of bytes concurrently and writes them in order,
// with a fixed amount of memory. It knows sizes, readers and writers; it does not know
// what the bytes mean or where they come from. [Ordered] writes many bodies to one
// [Writer], as to a tar file; [Windows] writes one large body to an [io.Writer].
//
// These rules keep it free of deadlocks:
//
//   - Memory is granted in the order of the file, before a request is made. The
//     grant is enough to read the whole response, so a request in flight waits
//     neither for memory nor for the writer.
//   - The granted pieces are a prefix of the file. If the writer waits for a piece
//     that has no memory yet, all pieces with memory come before it, and their
//     memory is freed as they are written.
//   - A body that has to be fetched again takes its memory from a reserve of one
//     window, which only the body that the writer waits for can use. All other
//     memory may be full of later bodies by then.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// ErrWholeOnly is the error of Open for a source that does not support ranges. The
// body is then fetched as a whole when it is its turn to be written.
var ErrWholeOnly = errors.New("the source does not support ranges")

// LengthError is the error for a source that sends more or fewer bytes than requested.
type LengthError struct {
	Offset, Asked int64
	Got           int64 // Asked + 1: at least one byte more
}

func (e *LengthError) Error() string {
	if e.Got > e.Asked {
		return fmt.Sprintf("expected %d bytes at offset %d, got more", e.Asked, e.Offset)
	}
	return fmt.Sprintf("expected %d bytes at offset %d, got %d", e.Asked, e.Offset, e.Got)
}

// Unwrap makes a short body an io.ErrUnexpectedEOF.
func (e *LengthError) Unwrap() error {
	if e.Got < e.Asked {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// Body is a sequence of bytes of known size.
type Body struct {
	Size int64

	// Open requests n bytes at off. It may wait for a limit, and hold a place in it
	// until the reader is closed. The end of ctx ends Open and the reads that follow,
	// as with net/http. attempt counts from 0; a later attempt may use another source.
	// Calls may be concurrent, even for parts of one body. off > 0 or n < Size only
	// for a body that is fetched in windows.
	Open func(ctx context.Context, attempt int, off, n int64) (io.ReadCloser, error)

	// Sink hashes the bytes and encodes them for the writer. It is called once per
	// attempt. Its Close returns an error if the bytes are wrong; Close is called
	// exactly once, in any case. emit may be called only during Write and Close; it
	// copies p and never blocks. nil: the bytes are written unchanged.
	Sink func(emit func(p []byte) error) io.WriteCloser

	Attempts int // 0 means 2
}

func (b *Body) attempts() int {
	if b.Attempts <= 0 {
		return 2
	}
	return b.Attempts
}

// Writer receives bodies one by one, in order. All calls come from the goroutine that
// called Ordered; an error of any of them ends the run.
type Writer interface {
	// Begin begins body i.
	Begin(i int) error
	// Write appends to the current body. p is valid only during the call.
	Write(p []byte) (int, error)
	// End ends the current body: it is complete and verified.
	End() error
	// Rollback discards what was written since Begin. Begin may follow for the same
	// body. It is called only for bodies that are fetched in windows: the others are
	// verified before they are begun.
	Rollback() error
	// Failed reports that body i cannot be fetched. It was not begun, or was rolled
	// back.
	Failed(i int, err error) error
}

// addAttempt adds the error of a later attempt to the error of the earlier ones.
func addAttempt(earlier, later error) error {
	if earlier == nil || earlier.Error() == later.Error() {
		return later
	}
	return fmt.Errorf("%w; then: %w", earlier, later)
}
