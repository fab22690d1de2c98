package cli

import (
	"io"

	"github.com/alecthomas/kong"

	"github.com/oras-mirror/oras-mirror/internal/exit"
)

// helpCommand makes "help backup" the same as "backup --help", as in git.
type helpCommand struct {
	Command []string `arg:"" optional:"" help:"Show the help of this command."`
}

func (c *helpCommand) Run(parsed *kong.Context) error {
	if _, err := parsed.Kong.Parse(append(c.Command, "--help")); err != nil {
		return usageError(err)
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

// unwrittenError is a failure to write the help, which is no mistake in the command line.
type unwrittenError struct{ err error }

func (e *unwrittenError) Error() string { return e.err.Error() }

func (e *unwrittenError) Unwrap() error { return e.err }

// noCommand lists the commands where none was given. It is an error all the same:
// in a script it means that a variable was empty.
func noCommand(parser *kong.Kong, stderr io.Writer) error {
	parser.Stdout = stderr
	trace, err := kong.Trace(parser, nil)
	if err != nil {
		return err
	}
	if err := trace.PrintUsage(false); err != nil {
		return err
	}
	return exit.Usage("", "no command")
}
