package console

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/exit"
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

	quiet  bool           // nothing is said but errors and hints
	Events *report.Events // of --format json; nil: none

	Hints   advice.Hints
	Secrets redact.Secrets
	Retries progress.Retries
	hinted  map[string]bool      // hints that were given: once is enough
	told    map[artifactKey]bool // failures that were said
	wholes  map[string]bool      // errors of whole registries that were said
	unsaid  int                  // failures of artifacts that stand for no more than these
}

// Streams are what a ui reads and writes.
type Streams struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	StdinTerminal  bool
	StdoutTerminal bool
	StdoutClosed   bool       // what is written there is lost
	Columns        func() int // width of the terminal on standard error; nil: it is none
}

// New returns a ui on some streams.
func New(s Streams) *Console { return &Console{Streams: s} }

// Standard is the ui of this process.
func Standard() *Console {
	u := New(Streams{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		StdinTerminal:  isTerminal(os.Stdin),
		StdoutTerminal: isTerminal(os.Stdout),
	})
	if u.StdoutClosed = isClosed(os.Stdout); u.StdoutClosed {
		u.Stdout = closedOutput{}
	}
	if isTerminal(os.Stderr) && canRedraw(os.Getenv) {
		u.Columns = stderrColumns
	}
	return u
}

// closedOutput is standard output where there is none.
type closedOutput struct{}

func (closedOutput) Write([]byte) (int, error) { return 0, exit.ErrStdoutClosed }

// Answer returns where a command writes whose exit code says what it is asked for: it
// does without a standard output.
func (u *Console) Answer() io.Writer {
	if u.StdoutClosed {
		return io.Discard
	}
	return u.Stdout
}

// AskPassword prints a prompt and reads a password from the terminal without showing it.
func (u *Console) AskPassword(prompt string) ([]byte, error) {
	fmt.Fprint(u.Stderr, text.Printable(prompt))
	defer fmt.Fprintln(u.Stderr)
	return term.ReadPassword(int(os.Stdin.Fd()))
}

// canRedraw says whether a line on a terminal may be drawn over: not where a CI
// system keeps what it sees, nor on a terminal that cannot. Colours there are
// none, so that NO_COLOR asks for nothing.
func canRedraw(environment func(string) string) bool {
	ci := environment("CI")
	return (ci == "" || ci == "false" || ci == "0") && environment("TERM") != "dumb"
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// stderrColumns is asked for each time it is needed: a window changes its size.
func stderrColumns() int {
	columns, _, err := term.GetSize(int(os.Stderr.Fd()))
	if err != nil || columns <= 0 {
		return 80
	}
	return columns
}

// Limit makes a ui say less: nothing but errors and hints if quiet, lines without a bar
// if plain.
func (u *Console) Limit(quiet, plain bool) {
	u.quiet = u.quiet || quiet
	if plain {
		u.Columns = nil
	}
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
		hint := u.Hints.Of(one)
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
