package exit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/text"
)

// Reason returns the reason for the error of a run: the signal if one cancelled ctx, since
// err then only follows from it, or else err. It returns nil if err is nil.
func Reason(ctx context.Context, err error) error {
	if stopped, ok := errors.AsType[*SignalError](context.Cause(ctx)); ok && err != nil {
		return stopped
	}
	return err
}

// SignalError reports the signal that ended a run. It is the cause of the context that
// the signal cancelled.
type SignalError struct{ Signal syscall.Signal }

func (e *SignalError) Error() string {
	if e.Signal == syscall.SIGTERM {
		return "terminated"
	}
	return "interrupted"
}

// maxCleanup bounds the time that a run has to clean up after a signal. A pipe without a
// reader or a machine short of memory could hold it for ever; after maxCleanup the process
// ends as with "kill -9", and the next run resumes from what it left.
const maxCleanup = 4500 * time.Millisecond

// maxLastWrite bounds the time that the process takes to print why it ends: the terminal
// itself may be blocked.
const maxLastWrite = 200 * time.Millisecond

// printWithin prints an error, or gives up after limit.
func printWithin(limit time.Duration, w io.Writer, err error) {
	printed := make(chan struct{})
	go func() {
		fmt.Fprintln(w, text.ErrorMark+err.Error())
		close(printed)
	}()
	select {
	case <-printed:
	case <-time.After(limit):
	}
}

// unhurried is the key of the context's value that lets a run take longer than maxCleanup.
type unhurried struct{}

// LetFinish lets a run under a context of Interruptible take as long as it needs after a
// signal. A second signal still ends the process at once.
func LetFinish(ctx context.Context) {
	if all, ok := ctx.Value(unhurried{}).(*atomic.Bool); ok {
		all.Store(true)
	}
}

// Interruptible returns a context that the first SIGINT or SIGTERM cancels, so that a run
// can clean up. A second signal ends the process at once; so does the end of maxCleanup,
// with an error on stderr. The function that it returns stops listening for signals.
func Interruptible(parent context.Context, stderr io.Writer) (context.Context, func()) {
	patient := new(atomic.Bool)
	ctx, cancel := context.WithCancelCause(context.WithValue(parent, unhurried{}, patient))
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
				first, over = number, time.After(maxCleanup)
				cancel(&SignalError{number})
			case <-over:
				if patient.Load() {
					over = nil
					continue
				}
				printWithin(maxLastWrite, stderr, &SignalError{first})
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
