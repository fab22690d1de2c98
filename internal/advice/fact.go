package advice

import (
	"errors"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/exit"
)

// Fact returns the text of an error without the suggestion of a config.Fault, which is a
// hint.
func Fact(err error) string {
	if fault, ok := err.(config.Fault); ok {
		fault.Suggestion = ""
		return fault.Error()
	}
	return err.Error()
}

// Split returns the errors that errors.Join joined, such as the faults of a spec, which are
// printed one a line. It returns nil for nil and for an exit.Status.
func Split(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	switch {
	case err == nil || is[exit.Status](err) && !ok:
		return nil
	case !ok:
		return []error{err}
	}
	var all []error
	var lines []string
	for _, one := range joined.Unwrap() {
		all = append(all, Split(one)...)
		lines = append(lines, one.Error())
	}
	if strings.Join(lines, "\n") != err.Error() {
		return []error{err}
	}
	return all
}

// is reports whether the chain of err has an error of type E.
func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
