package engine

import (
	"context"
	"errors"
)

// IsFatal reports whether err ends the run; any other error is that of one artifact.
func IsFatal(err error) bool {
	return is[*CollisionError](err) || is[*SpaceError](err) || is[*WriteError](err) || errors.Is(err, context.Canceled)
}

// WriteError reports that the output cannot be written: every other artifact would fail, too.
type WriteError struct{ Err error }

func (e *WriteError) Error() string { return e.Err.Error() }

func (e *WriteError) Unwrap() error { return e.Err }

// Interrupted reports whether err comes from the end of the run and not from the artifact.
func Interrupted(ctx context.Context, err error) bool {
	cause := context.Cause(ctx)
	return err != nil && (errors.Is(err, context.Canceled) || cause != nil && errors.Is(err, cause))
}

// is reports whether err, or an error that it wraps, has the type E.
func is[E error](err error) bool {
	_, is := errors.AsType[E](err)
	return is
}
