// Package console is everything a user sees: the product of a command on standard output;
// progress, notices, errors, hints and the summary on standard error, as lines, as a bar on
// a terminal, or as JSON events.
package console

import (
	"fmt"
	"os"

	"golang.org/x/term"

	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/progress"
	"github.com/oras-mirror/oras-mirror/internal/redact"
	"github.com/oras-mirror/oras-mirror/internal/report"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// Console prints for the user. Printing errors and hints is not for concurrent use.
type Console struct {
	Streams
	Events  *report.Events // of --format json; nil without it
	Secrets redact.Secrets // masked in every line
	Retries progress.Retries

	rename         func(line string) string // changes the name of the program in a line; may be nil
	quiet          bool                     // print only errors and hints
	events         bool                     // Begin starts Events
	document       document
	hints          advice.Hints
	hinted         map[string]bool      // hints printed: each is printed once
	reported       map[artifactKey]bool // artifacts whose failure is printed
	registryErrors map[string]bool      // errors of whole registries that are printed
	unreported     int                  // failures covered by an error of their registry
}

// Options decide what a console shows, and where.
type Options struct {
	Streams
	Quiet  bool // print only errors and hints
	Plain  bool // print lines instead of a bar, even on a terminal
	Events bool // write events to standard output, and only errors and hints as lines

	Rename func(line string) string // changes the name of the program in a line; nil keeps it
}

// New returns a console.
func New(o Options) *Console {
	c := &Console{Streams: o.Streams, quiet: o.Quiet || o.Events, events: o.Events, rename: o.Rename}
	if o.Plain {
		c.Columns = nil
	}
	return c
}

// Advise changes the description of the run that hints depend on.
func (c *Console) Advise(change func(*advice.Hints)) { change(&c.hints) }

// AskPassword prints a prompt and reads a password from the terminal without echo.
func (c *Console) AskPassword(prompt string) ([]byte, error) {
	fmt.Fprint(c.Stderr, text.Printable(prompt))
	defer fmt.Fprintln(c.Stderr)
	return term.ReadPassword(int(os.Stdin.Fd()))
}

// screen returns the screen that suits the streams and flags.
func (c *Console) screen() progress.Screen {
	switch {
	case c.Events != nil:
		return &eventScreen{events: c.Events, errors: c.Stderr}
	case c.quiet || c.Columns == nil:
		return &logScreen{w: c.Stderr, quiet: c.quiet}
	}
	return &barScreen{w: c.Stderr, columns: c.Columns}
}

// StartProgress shows the progress of a run until its Close.
func (c *Console) StartProgress() *progress.Tracker { return progress.Start(c, c.screen()) }

// Retry implements progress.Teller.
func (c *Console) Retry() progress.Retry { return c.Retries.Look() }

// Print writes a line even with --quiet.
func (c *Console) Print(text string) { c.put(c.Clean(text)) }

// put writes a clean line, wrapped between words on a terminal.
func (c *Console) put(line string) {
	if c.Columns != nil {
		line = wrapped(line, c.Columns())
	}
	fmt.Fprintln(c.Stderr, line)
}

// Clean masks secrets, then makes a line printable: in this order, since a secret may have
// characters that are not printable.
func (c *Console) Clean(line string) string {
	line = text.Printable(c.Secrets.Hide(line))
	if c.rename != nil {
		line = c.rename(line)
	}
	return line
}

// Say prints a line unless --quiet is set.
func (c *Console) Say(format string, a ...any) {
	if !c.quiet {
		c.Print(fmt.Sprintf(format, a...))
	}
}

// Notice prints a note: something that the user should know and that is no error.
func (c *Console) Notice(format string, a ...any) {
	for _, line := range c.Tell(progress.Event{Notice: fmt.Sprintf(format, a...)}) {
		c.put(line)
	}
}

// Fail prints the errors that are joined in err, one a line, each with its hint. It prints
// nothing for an exit.Status.
func (c *Console) Fail(err error) {
	for _, one := range advice.Split(err) {
		hint := c.hints.Of(one)
		c.Events.Failure(one, hint)
		c.document.add(one, hint, c.Secrets.Hide)
		if line, isNew := c.factOnce(one); isNew {
			c.Print(text.ErrorMark + line)
			c.Hint(hint)
		}
	}
}

// factOnce returns the text of an error and whether to print it: the error of a whole
// registry is printed only for the first artifact that fails by it.
func (c *Console) factOnce(err error) (text string, isNew bool) {
	whole := registry.RegistryError(err)
	if whole == nil {
		return advice.Fact(err), true
	}
	if c.registryErrors[whole.Error()] {
		return "", false
	}
	if c.registryErrors == nil {
		c.registryErrors = make(map[string]bool)
	}
	c.registryErrors[whole.Error()] = true
	return advice.Fact(err), true
}

// Hint prints a hint unless it is empty or already printed.
func (c *Console) Hint(line string) {
	if c.isNew(line) {
		c.Print(text.HintMark + line)
	}
}

// isNew reports whether a hint is not empty and not printed yet, and remembers it.
func (c *Console) isNew(hint string) bool {
	if hint == "" || c.hinted[hint] {
		return false
	}
	if c.hinted == nil {
		c.hinted = make(map[string]bool)
	}
	c.hinted[hint] = true
	return true
}

// Spooling tells the user that an archive is unpacked to a temporary file first, which takes
// disk space.
func (c *Console) Spooling(name string, size int64) {
	if name == "-" {
		name = "standard input"
	}
	how := ""
	if size >= 0 {
		how = " (" + text.Bytes(size) + ")"
	}
	c.Notice("%s%s is an archive of another tool without an index; unpacking it to a temporary file first", name, how)
}
