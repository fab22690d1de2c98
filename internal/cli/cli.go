// Package cli holds the command line of oras-mirror: the grammar, and one file for each
// command. It decides nothing about how bytes move.
package cli

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"

	"github.com/alecthomas/kong"

	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/version"
)

// cli is the grammar of the command line.
type cli struct {
	Backup    backupCommand    `cmd:"" group:"copy" help:"Copy artifacts from registries into a bundle or a directory."`
	Restore   restoreCommand   `cmd:"" group:"copy" help:"Push the artifacts of a bundle or a directory to a registry."`
	Merge     mergeCommand     `cmd:"" group:"copy" help:"Make one bundle or directory of several, such as a base and its deltas."`
	Sync      syncCommand      `cmd:"" group:"copy" help:"Copy artifacts from registries straight into registries."`
	Serve     serveCommand     `cmd:"" group:"copy" help:"Serve the artifacts of a bundle or a directory as a read-only registry."`
	Plan      planCommand      `cmd:"" group:"copy" help:"Show what backup, restore or sync would do."`
	Lock      lockCommand      `cmd:"" group:"copy" help:"Pin the digests that a mirror spec selects now."`
	List      listCommand      `cmd:"" group:"inspect" help:"List the artifacts in a bundle or a directory."`
	Diff      diffCommand      `cmd:"" group:"inspect" help:"Show how two bundles, layouts, locks, specs or registries differ."`
	Prune     pruneCommand     `cmd:"" group:"inspect" help:"Remove from a directory the artifacts that a mirror spec no longer selects."`
	Verify    verifyCommand    `cmd:"" group:"inspect" help:"Hash every byte of a bundle or a directory and check that nothing is missing."`
	Statement statementCommand `cmd:"" group:"inspect" help:"Print a statement about a bundle or a directory, to be signed."`
	Init      initCommand      `cmd:"" group:"spec" help:"Print a mirror spec to start from."`
	Images    imagesCommand    `cmd:"" group:"spec" help:"Print the images that Kubernetes manifests name, as a list for backup and sync."`
	Validate  validateCommand  `cmd:"" group:"spec" help:"Check a mirror spec."`
	Schema    schemaCommand    `cmd:"" group:"spec" help:"Print the JSON schema of the mirror spec, or of what oras-mirror writes."`

	ClientConfig clientConfigCommand `cmd:"" group:"other" help:"Write the configuration that makes a cluster pull from the mirror: for containerd, podman, openshift, k3s or docker."`
	Completion   completionCommand   `cmd:"" group:"other" help:"Print a completion script for bash, zsh or fish."`
	Man          manCommand          `cmd:"" group:"other" help:"Print the man page."`
	Version      versionCommand      `cmd:"" group:"other" help:"Print the version."`

	Complete completeCommand `cmd:"" name:"__complete" hidden:"" passthrough:"" help:"Print completions of words."`
	Help     helpCommand     `cmd:"" hidden:"" help:"Show the help of a command."`

	CPUProfile profileFlag `hidden:"" name:"cpuprofile" placeholder:"PATH" help:"Write a CPU profile of the run, for \"go tool pprof\"."`
}

// groups are the headings of commands and flags in --help.
var groups = []kong.Group{
	{Key: "copy", Title: "Copy:"},
	{Key: "inspect", Title: "Inspect and maintain:"},
	{Key: "spec", Title: "Write a mirror spec:"},
	{Key: "other", Title: "Other:"},
	{Key: "Registries", Title: "Access to registries:"},
	{Key: "Sources", Title: "Access to the registries of sources only:"},
	{Key: "Targets", Title: "Access to the registries of targets only:"},
	{Key: "Run", Title: "Run options:"},
}

const description = "Back up many OCI artifacts from many registries into one bundle, and restore them to any registry."

// Main runs the program on the streams of this process and returns its exit code.
// release is the version that the linker set, "" in a build that is no release.
func Main(release string, args []string) int {
	version.Set(release)
	ctx, stop := exit.Interruptible(context.Background(), os.Stderr)
	defer stop()
	s := console.StandardStreams()
	s.Name = calledAs(os.Getenv)
	return Run(ctx, args, s)
}

// Run runs the program on some streams and returns its exit code.
func Run(ctx context.Context, args []string, s console.Streams) int {
	s.Stdin = exit.NewReader(ctx, s.Stdin)
	u, err := dispatch(ctx, args, s)
	err = exit.Reason(ctx, err)
	u.Fail(err)
	return u.End(exit.Code(err))
}

// dispatch runs the command that the arguments name. It returns the console that the
// command printed to, or one for errors in the arguments.
func dispatch(ctx context.Context, args []string, s console.Streams) (u *console.Console, err error) {
	defer recoverExit(&err)
	u = console.New(console.Options{Streams: s})
	var cpu profile
	if command, ok := parseAlone(ctx, s, &cpu, args); ok {
		return run(command, s, nil, &cpu)
	}
	parser, err := newParser(ctx, &cli{}, s, &cpu)
	if err != nil {
		return u, err
	}
	rename := renamer(parser.Model)
	plain := console.Options{Streams: s, Rename: rename}
	u = console.New(plain)
	if len(args) == 0 {
		return u, noCommand(parser, s.Stderr)
	}
	args = expandShortFlags(parser.Model.Node, args)
	command, err := parser.Parse(args)
	if err != nil {
		return refuse(parsedUntil(err), args, plain, usageError(err))
	}
	if err := checkRepeated(command); err != nil {
		return refuse(command, args, plain, err)
	}
	return run(command, s, rename, &cpu)
}

// run runs a command that was parsed, and returns the console that it printed to.
func run(command *kong.Context, s console.Streams, rename func(string) string, cpu *profile) (u *console.Console, err error) {
	defer func() { err = errors.Join(err, cpu.stop()) }()
	u = console.New(consoleOptions(command, s, rename))
	if err := u.Begin(command.Selected().Name); err != nil {
		return u, err
	}
	option.BoundMemory(option.DefaultBuffer)
	return u, command.Run(u)
}

// newParser makes a parser of a grammar, with all that commands are given but the console,
// which depends on their flags.
func newParser(ctx context.Context, grammar any, s console.Streams, cpu *profile) (*kong.Kong, error) {
	parser, err := kong.New(grammar,
		kong.Name(cmp.Or(s.Name, programName)),
		kong.Description(description),
		kong.Writers(s.Answer(), s.Stderr),
		kong.Exit(func(code int) { panic(kongExit(code)) }),
		kong.Help(printHelp),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, WrapUpperBound: 100}),
		kong.ExplicitGroups(groups),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(cpu),
	)
	if err == nil {
		renameHelp(parser.Model)
	}
	return parser, err
}

// consoleOptions returns what the flags of a command ask of its console.
func consoleOptions(command *kong.Context, s console.Streams, rename func(string) string) console.Options {
	o := console.Options{Streams: s, Rename: rename}
	flags := command.Selected().Target.Addr().Interface()
	if f, ok := flags.(interface{ Verbosity() (quiet, plain bool) }); ok {
		o.Quiet, o.Plain = f.Verbosity()
	}
	if f, ok := flags.(interface{ WantsEvents() bool }); ok {
		o.Events = f.WantsEvents()
	}
	return o
}

// Grammar returns a parser that knows the commands and their flags, and runs none.
func Grammar() (*kong.Kong, error) {
	return newParser(context.Background(), &cli{}, console.Streams{Stdout: io.Discard, Stderr: io.Discard}, new(profile))
}

// kongExit is the panic by which --help leaves kong in the midst of parsing.
type kongExit int

// recoverExit turns a kongExit into an exit code, and lets every other panic go on.
func recoverExit(err *error) {
	switch p := recover().(type) {
	case nil:
	case kongExit:
		if p != 0 {
			*err = errors.Join(*err, exit.Status(p))
		}
	default:
		panic(p)
	}
}
