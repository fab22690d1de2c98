package engine

import (
	"context"
	"errors"
)

// isFatal tells an error of the run from one of an artifact.
func isFatal(err error) bool {
	var collision *CollisionError
	var space *SpaceError
	var written *writeError
	return errors.As(err, &collision) || errors.As(err, &space) || errors.As(err, &written) ||
		errors.Is(err, context.Canceled)
}

// writeError is a failure of the output, which no other artifact would escape.
type writeError struct{ error }

func (e *writeError) Unwrap() error { return e.error }

func written(err error) error {
	if err == nil {
		return nil
	}
	return &writeError{err}
}

// wasUnderWay tells an artifact that the end of a run cut off from one that failed.
func wasUnderWay(ctx context.Context, err error) bool {
	cause := context.Cause(ctx)
	return err != nil && (errors.Is(err, context.Canceled) || cause != nil && errors.Is(err, cause))
}

// isReferrers tells whether an artifact is there and only lacks referrers.
func isReferrers(err error) bool {
	var referrers *ReferrersError
	return errors.As(err, &referrers)
}
