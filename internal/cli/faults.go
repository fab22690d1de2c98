package cli

import (
	"errors"
	"slices"

	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store"
)

// maxFaults bounds the parts that are named.
const maxFaults = 20

// sayFaults prints what is wrong with the parts of bundles among the inputs. It returns
// exit.Partial if content is missing: a part that merely does not belong there is a note.
func sayFaults(u *console.Console, in store.Input) error {
	faults := store.Faults(in)
	if !slices.ContainsFunc(faults, lacksContent) {
		for _, err := range faults {
			u.Notice("%v; it is not used", err)
		}
		return nil
	}
	for _, err := range faults[:min(len(faults), maxFaults)] {
		u.Fail(err)
	}
	if more := len(faults) - maxFaults; more > 0 {
		u.Say("%s more are missing", text.Count(more, "part"))
		u.Keep(faults[maxFaults:])
	}
	return exit.Partial
}

// sayLateFaults is sayFaults for a pipe, whose end has come.
func sayLateFaults(u *console.Console, in store.Input) error {
	if _, pipe := in.(*store.Stream); pipe {
		return sayFaults(u, in)
	}
	return nil
}

func lacksContent(err error) bool {
	_, foreign := errors.AsType[*store.ForeignPartError](err)
	return !foreign
}
