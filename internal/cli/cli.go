// Oras-mirror backs up OCI artifacts from many registries into one OCI layout,
// and restores them to any registry.
//
// Package main is what a user types and sees: a grammar, one file per family of
// commands, and what is told of a run. It decides nothing about how bytes move.
package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/version"
)

// cli is the grammar of the command line. A command stands here from the day it
// works.
type cli struct {
	Backup   backupCommand   `cmd:"" group:"copy" help:"Copy artifacts from registries into a bundle or a directory."`
	Restore  restoreCommand  `cmd:"" group:"copy" help:"Push what a bundle or a directory holds to a registry."`
	Plan     planCommand     `cmd:"" group:"copy" help:"Show what backup or restore would do."`
	Lock     lockCommand     `cmd:"" group:"copy" help:"Pin the digests that a mirror spec selects now."`
	List     listCommand     `cmd:"" group:"look" help:"List what is in a bundle or a directory."`
	Diff     diffCommand     `cmd:"" group:"look" help:"Show how two bundles, layouts, locks, specs or registries differ."`
	Prune    pruneCommand    `cmd:"" group:"look" help:"Remove from a directory what a mirror spec no longer selects."`
	Verify   verifyCommand   `cmd:"" group:"look" help:"Hash every byte of a bundle or a directory and check that nothing is missing."`
	Init     initCommand     `cmd:"" group:"spec" help:"Print a mirror spec to begin with."`
	Validate validateCommand `cmd:"" group:"spec" help:"Check a mirror spec."`
	Schema   schemaCommand   `cmd:"" group:"spec" help:"Print the JSON schema of the mirror spec."`

	ClientConfig clientConfigCommand `cmd:"" group:"around" help:"Write what makes a cluster pull from the mirror: for containerd, podman, openshift, k3s or docker."`
	Completion   completionCommand   `cmd:"" group:"around" help:"Print a completion script for bash, zsh or fish."`
	Man          manCommand          `cmd:"" group:"around" help:"Print the man page."`
	Version      versionCommand      `cmd:"" group:"around" help:"Print the version."`

	Complete completeCommand `cmd:"" name:"__complete" hidden:"" passthrough:"" help:"Say how words could go on."`
	Help     helpCommand     `cmd:"" hidden:"" help:"Show the help of a command."`

	CPUProfile profileFlag `hidden:"" name:"cpuprofile" placeholder:"PATH" help:"Write a CPU profile of the run, for \"go tool pprof\"."`
}

// groups are how --help sorts commands and flags.
var groups = []kong.Group{
	{Key: "copy", Title: "Copy:"},
	{Key: "look", Title: "Inspect and maintain:"},
	{Key: "spec", Title: "Write a mirror spec:"},
	{Key: "around", Title: "Other:"},
	{Key: "Registries", Title: "How registries are reached:"},
	{Key: "Run", Title: "How the run goes:"},
}

const description = "Back up many OCI artifacts from many registries into one bundle, and restore them to any registry."

// Main runs the program on the streams of this process and returns its exit code.
// release is the version that the linker set, "" in a build that is no release.
func Main(release string, args []string) int {
	version.Set(release)
	ctx, stop := exit.Interruptible(context.Background(), os.Stderr)
	defer stop()
	return Run(ctx, args, console.Standard())
}

// Run is the program: arguments in, exit code out.
func Run(ctx context.Context, args []string, u *console.Console) int {
	err := dispatch(ctx, args, u)
	var stopped *exit.SignalError
	if err != nil && errors.As(context.Cause(ctx), &stopped) {
		err = stopped // what else went wrong went wrong for that
	}
	u.Fail(err)
	return u.End(exit.Code(err))
}

func dispatch(ctx context.Context, args []string, u *console.Console) (err error) {
	defer leave(&err)
	u.Stdin = exit.NewReader(ctx, u.Stdin)
	var cpu profile
	parser, err := newParser(ctx, u, &cpu)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return noCommand(parser, u)
	}
	command, err := parser.Parse(withoutEquals(parser.Model.Node, args))
	if err != nil {
		return usageOf(err)
	}
	defer func() { err = errors.Join(err, cpu.stop()) }()
	option.BoundMemory(option.DefaultBuffer)
	return command.Run()
}

// newParser makes the parser of the grammar, with all that commands are given.
func newParser(ctx context.Context, u *console.Console, cpu *profile) (*kong.Kong, error) {
	return kong.New(&cli{},
		kong.Name("oras-mirror"),
		kong.Description(description),
		kong.Writers(u.Answer(), u.Stderr),
		kong.Exit(func(code int) { panic(left(code)) }),
		kong.Help(printHelp),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, WrapUpperBound: 100}),
		kong.ExplicitGroups(groups),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(u, cpu),
	)
}

// Grammar returns a parser that knows the commands and their flags, and runs none.
func Grammar() (*kong.Kong, error) {
	return newParser(context.Background(), console.New(console.Streams{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard}), new(profile))
}

// left is how --help ends a run: kong leaves from the midst of parsing.
type left int

// leave turns kong's exit into an exit code, and lets every other panic go on.
func leave(err *error) {
	switch p := recover().(type) {
	case nil:
	case left:
		if p != 0 {
			*err = errors.Join(*err, exit.Status(p))
		}
	default:
		panic(p)
	}
}
