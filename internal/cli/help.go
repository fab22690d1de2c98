package cli

import (
	"context"

	"github.com/alecthomas/kong"

	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
)

// helpCommand is for those who are used to it: "help backup" is "backup --help".
type helpCommand struct {
	Command []string `arg:"" optional:"" help:"The command."`
}

func (c *helpCommand) Run(ctx context.Context, u *console.Console) error {
	parser, err := newParser(ctx, u, new(profile))
	if err != nil {
		return err
	}
	if _, err := parser.Parse(append(c.Command, "--help")); err != nil {
		return usageOf(err)
	}
	return nil
}

// printHelp writes the help of a command.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil {
		return &unwrittenError{err}
	}
	return nil
}

// unwrittenError says that help could not be written, which is no fault of the
// command line.
type unwrittenError struct{ err error }

func (e *unwrittenError) Error() string { return e.err.Error() }

func (e *unwrittenError) Unwrap() error { return e.err }

// noCommand shows the commands to who named none. It is an error all the same:
// in a script it means that a variable was empty.
func noCommand(parser *kong.Kong, u *console.Console) error {
	parser.Stdout = u.Stderr
	trace, err := kong.Trace(parser, nil)
	if err != nil {
		return err
	}
	if err := trace.PrintUsage(false); err != nil {
		return err
	}
	return exit.Usage("", "no command")
}
