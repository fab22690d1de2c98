package cli

import (
	"errors"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
)

// failing is a command that prints a document also when it fails.
type failing interface {
	// failed returns the document of a run that did not start, but for its errors.
	failed() func(failures []console.Failure, exitCode int) any
}

// refuse returns the error of a command line that cannot be run, and the console for it. With
// --format json that writes what the command promises: a document or events with the error.
func refuse(command *kong.Context, args []string, o console.Options, err error) (*console.Console, error) {
	_, isUsage := errors.AsType[*exit.UsageError](err)
	if !isUsage || command == nil || command.Selected() == nil || !wantsJSON(args) {
		return console.New(o), err
	}
	if _, applyErr := command.Apply(); applyErr != nil { // the flags before the mistake
		return console.New(o), err
	}
	flags := command.Selected().Target.Addr().Interface()
	_, o.Events = flags.(interface{ WantsEvents() bool })
	u := console.New(o)
	if c, ok := flags.(failing); ok {
		u.SetDocument(c.failed())
	}
	return u, errors.Join(u.Begin(command.Selected().Name), err)
}

// wantsJSON finds --format json in a command line that cannot be parsed.
func wantsJSON(args []string) bool {
	format := ""
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if value, found := strings.CutPrefix(arg, "--format="); found {
			format = value
		}
		if arg == "--format" && i+1 < len(args) {
			format = args[i+1]
		}
	}
	return format == "json"
}
