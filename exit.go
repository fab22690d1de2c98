package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/store"
)

// status is an exit code for which everything has been said already.
type status int

const (
	statusFailed     status = 1 // nothing committed
	statusUsage      status = 2 // wrong usage or a wrong spec
	statusPartial    status = 3 // some artifacts failed, the others are committed
	statusDrift      status = 4 // what is there is not what the lock or the spec says
	statusUnverified status = 5 // what is there is damaged
)

func (s status) Error() string { return "" }

// exitCode is the table of the README.
func exitCode(err error) int {
	var told status
	var stopped *stoppedError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &stopped):
		return 128 + int(stopped.signal)
	case errors.As(err, &told):
		return int(told)
	case is[*driftError](err):
		return int(statusDrift)
	case isUsage(err):
		return int(statusUsage)
	}
	return int(statusFailed)
}

// isUsage tells what only another command line or another spec can mend.
func isUsage(err error) bool {
	return is[*usageError](err) || is[*noFileError](err) || is[*noLockError](err) || is[*config.LoadError](err) || is[*config.ReferenceError](err) ||
		is[*config.MappingError](err) || is[*engine.CollisionError](err) || is[*engine.OnlyError](err) || is[*engine.UnmatchedError](err) ||
		is[*engine.NameError](err) || is[*engine.RetagError](err) || is[*registry.SettingsError](err) || errors.Is(err, store.ErrNoCompression)
}

func is[E error](err error) bool {
	var target E
	return errors.As(err, &target)
}

// stoppedError is the cause of a context that a signal has cancelled.
type stoppedError struct{ signal syscall.Signal }

func (e *stoppedError) Error() string {
	if e.signal == syscall.SIGTERM {
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
func sayWithin(limit time.Duration, err error) {
	said := make(chan struct{})
	go func() {
		fmt.Fprintln(os.Stderr, errorMark+err.Error())
		close(said)
	}()
	select {
	case <-said:
	case <-time.After(limit):
	}
}

// interruptible returns a context that the first SIGINT or SIGTERM cancels, so
// that a run can tidy up; the second one ends the process at once, and so does the end of
// patience.
func interruptible(parent context.Context) (context.Context, func()) {
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
				cancel(&stoppedError{number})
			case <-over:
				sayWithin(lastWords, &stoppedError{first})
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
