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

// Spooling says why a disk fills.
func (u *Console) Spooling(name string, size int64) {
	if name == "-" {
		name = "standard input"
	}
	how := ""
	if size >= 0 {
		how = " (" + text.Bytes(size) + ")"
	}
	u.Notice("%s%s is an archive of another tool, which can only be read from front to end: it is unpacked to a temporary file first", name, how)
}

// Console is all that the user sees. Standard output carries the product of a
// command and nothing else; the rest goes to standard error. Errors and hints
// are not for concurrent use.
type Console struct {
	Streams
	Events  *report.Events // of --format json; nil without it
	Secrets redact.Secrets // masked in every line
	Retries progress.Retries

	quiet  bool // no lines but errors and hints
	events bool // start Events
	hints  advice.Hints
	hinted map[string]bool      // hints that were given: once is enough
	told   map[artifactKey]bool // failures that were said
	wholes map[string]bool      // errors of whole registries that were said
	unsaid int                  // failures of artifacts that stand for no more than these
}

// Options decide what a console shows, and where.
type Options struct {
	Streams
	Quiet  bool // print only errors and hints
	Plain  bool // print lines instead of a bar, even on a terminal
	Events bool // write events to standard output, and only errors and hints as lines
}

// New returns a console.
func New(o Options) *Console {
	u := &Console{Streams: o.Streams, quiet: o.Quiet || o.Events, events: o.Events}
	if o.Plain {
		u.Columns = nil
	}
	return u
}

// Advise changes what the hints on errors know about the run.
func (u *Console) Advise(change func(*advice.Hints)) { change(&u.hints) }

// AskPassword prints a prompt and reads a password from the terminal without showing it.
func (u *Console) AskPassword(prompt string) ([]byte, error) {
	fmt.Fprint(u.Stderr, text.Printable(prompt))
	defer fmt.Fprintln(u.Stderr)
	return term.ReadPassword(int(os.Stdin.Fd()))
}

// screen returns where progress is shown.
func (u *Console) screen() progress.Screen {
	switch {
	case u.Events != nil:
		return &eventScreen{events: u.Events, errors: u.Stderr}
	case u.quiet || u.Columns == nil:
		return &logScreen{w: u.Stderr, quiet: u.quiet}
	}
	return &barScreen{w: u.Stderr, columns: u.Columns}
}

// StartProgress shows a run until its close.
func (u *Console) StartProgress() *progress.Tracker { return progress.Start(u, u.screen()) }

func (u *Console) Retry() progress.Retry { return u.Retries.Look() }

// Print writes a line even with --quiet.
func (u *Console) Print(text string) { u.put(u.Clean(text)) }

// put writes a line that is clean. On a terminal it breaks between words.
func (u *Console) put(line string) {
	if u.Columns != nil {
		line = wrapped(line, u.Columns())
	}
	fmt.Fprintln(u.Stderr, line)
}

// Clean makes a line fit to be seen. What is not printable may be part of a secret.
func (u *Console) Clean(line string) string { return text.Printable(u.Secrets.Hide(line)) }

// Say prints a line that is neither an error nor a hint.
func (u *Console) Say(format string, a ...any) {
	if !u.quiet {
		u.Print(fmt.Sprintf(format, a...))
	}
}

// Notice prints what a user should know although nothing is wrong.
func (u *Console) Notice(format string, a ...any) {
	for _, line := range u.Tell(progress.Event{Notice: fmt.Sprintf(format, a...)}) {
		u.put(line)
	}
}

// Fail says why a command failed, and what to do: one error a line. What was
// said already, a status, is not said again.
func (u *Console) Fail(err error) {
	for _, one := range advice.Split(err) {
		hint := u.hints.Of(one)
		u.Events.Failure(one, hint)
		if line, isNew := u.factOnce(one); isNew {
			u.Print(text.ErrorMark + line)
			u.Hint(hint)
		}
	}
}

// factOnce returns what to say of an error, and whether that is new: what holds for a whole
// registry is said of the first artifact that it costs.
func (u *Console) factOnce(err error) (text string, isNew bool) {
	whole := registry.RegistryError(err)
	if whole == nil {
		return advice.Fact(err), true
	}
	if u.wholes[whole.Error()] {
		return "", false
	}
	if u.wholes == nil {
		u.wholes = make(map[string]bool)
	}
	u.wholes[whole.Error()] = true
	return advice.Fact(err), true
}

func (u *Console) Hint(line string) {
	if u.isNew(line) {
		u.Print(text.HintMark + line)
	}
}

// isNew says whether a hint is one, and is given for the first time.
func (u *Console) isNew(hint string) bool {
	if hint == "" || u.hinted[hint] {
		return false
	}
	if u.hinted == nil {
		u.hinted = make(map[string]bool)
	}
	u.hinted[hint] = true
	return true
}
