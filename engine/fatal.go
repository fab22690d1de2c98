package engine

import (
	"context"
	"errors"
)

// IsFatal tells an error of the run from one of an artifact.
func IsFatal(err error) bool {
	return is[*CollisionError](err) || is[*SpaceError](err) || is[*WriteError](err) || errors.Is(err, context.Canceled)
}

// WriteError is a failure of the output: every other artifact would fail, too.
type WriteError struct{ Err error }

func (e *WriteError) Error() string { return e.Err.Error() }

func (e *WriteError) Unwrap() error { return e.Err }

// Interrupted tells whether err comes from the end of the run and not from the artifact.
func Interrupted(ctx context.Context, err error) bool {
	cause := context.Cause(ctx)
	return err != nil && (errors.Is(err, context.Canceled) || cause != nil && errors.Is(err, cause))
}

// is tells whether an error, or one that it wraps, has a type.
func is[E error](err error) bool {
	_, is := errors.AsType[E](err)
	return is
}
