package advice

import (
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/exit"
)

// Fact is an error without the advice that a fault of a file brings along.
func Fact(err error) string {
	if fault, ok := err.(config.Fault); ok {
		fault.Suggestion = ""
		return fault.Error()
	}
	return err.Error()
}

// Split takes apart what was joined: errors that stand each on a line of
// their own, such as the faults of a spec.
func Split(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	switch {
	case err == nil || exit.Is[exit.Status](err) && !ok:
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
