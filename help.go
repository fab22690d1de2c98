package main

import (
	"context"

	"github.com/alecthomas/kong"
)

// helpCommand is for those who are used to it: "help backup" is "backup --help".
type helpCommand struct {
	Command []string `arg:"" optional:"" help:"The command."`
}

func (c *helpCommand) Run(ctx context.Context, u *ui) error {
	parser, err := newParser(ctx, u)
	if err != nil {
		return err
	}
	if _, err := parser.Parse(append(c.Command, "--help")); err != nil {
		return wrongUsage(err)
	}
	return nil
}

// noCommand shows the commands to who named none. It is an error all the same:
// in a script it means that a variable was empty.
func noCommand(parser *kong.Kong, u *ui) error {
	parser.Stdout = u.stderr
	trace, err := kong.Trace(parser, nil)
	if err != nil {
		return err
	}
	if err := trace.PrintUsage(false); err != nil {
		return err
	}
	return usage("", "no command")
}
