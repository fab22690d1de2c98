package exit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/text"
)

// Reason is why a run ended: a signal, if there was one, whatever went wrong
// for that.
func Reason(ctx context.Context, err error) error {
	var stopped *SignalError
	if errors.As(context.Cause(ctx), &stopped) {
		return stopped
	}
	return err
}

// SignalError is the cause of a context that a signal has cancelled.
type SignalError struct{ Signal syscall.Signal }

func (e *SignalError) Error() string {
	if e.Signal == syscall.SIGTERM {
		return "terminated"
	}
	return "interrupted"
}

// patience bounds how long a run may take to tidy up after a signal. Whatever holds it longer,
// a pipe without a reader or a machine without memory, does not hold the end of the
// process: what is there then is what "kill -9" would leave, and is gone on with.
const patience = 4500 * time.Millisecond

// lastWords bounds how long a process may take to say why it ends: a terminal may be what
// holds it.
const lastWords = 200 * time.Millisecond

// sayWithin prints an error, if that can be done in time.
func sayWithin(limit time.Duration, w io.Writer, err error) {
	said := make(chan struct{})
	go func() {
		fmt.Fprintln(w, text.ErrorMark+err.Error())
		close(said)
	}()
	select {
	case <-said:
	case <-time.After(limit):
	}
}

// Interruptible returns a context that the first SIGINT or SIGTERM cancels, so
// that a run can tidy up; the second one ends the process at once, and so does the end of
// patience, with a word on stderr.
func Interruptible(parent context.Context, stderr io.Writer) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		var over <-chan time.Time
		var first syscall.Signal
		for {
			select {
			case s := <-signals:
				number := s.(syscall.Signal)
				if ctx.Err() != nil {
					os.Exit(128 + int(number))
				}
				first, over = number, time.After(patience)
				cancel(&SignalError{number})
			case <-over:
				sayWithin(lastWords, stderr, &SignalError{first})
				os.Exit(128 + int(first))
			case <-done:
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}
