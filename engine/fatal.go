package engine

import (
	"context"
	"errors"
)

// IsFatal tells an error of the run from one of an artifact.
func IsFatal(err error) bool {
	var collision *CollisionError
	var space *SpaceError
	var written *WriteError
	return errors.As(err, &collision) || errors.As(err, &space) || errors.As(err, &written) ||
		errors.Is(err, context.Canceled)
}

// WriteError is a failure of the output, which no other artifact would escape.
type WriteError struct{ Err error }

func (e *WriteError) Error() string { return e.Err.Error() }

func (e *WriteError) Unwrap() error { return e.Err }

// Interrupted tells an artifact that the end of a run cut off from one that failed.
func Interrupted(ctx context.Context, err error) bool {
	cause := context.Cause(ctx)
	return err != nil && (errors.Is(err, context.Canceled) || cause != nil && errors.Is(err, cause))
}
