package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/registry"
)

// ui is all that the user sees. Standard output carries the product of a
// command and nothing else; the rest goes to standard error. Errors and hints
// are not for concurrent use.
type ui struct {
	Streams

	quiet  bool    // nothing is said but errors and hints
	events *events // of --format json; nil: none

	hints   hints
	secrets secrets
	retries retries
	hinted  map[string]bool      // hints that were given: once is enough
	told    map[artifactKey]bool // failures that were said
	wholes  map[string]bool      // errors of whole registries that were said
	unsaid  int                  // failures of artifacts that stand for no more than these
}

// The beginnings of lines by which a program can tell them apart.
const (
	errorMark = "oras-mirror: error: "
	hintMark  = "oras-mirror: hint: "
	note      = "oras-mirror: note: "
)

// Streams are what a ui reads and writes.
type Streams struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	StdinTerminal  bool
	StdoutTerminal bool
	StdoutClosed   bool       // what is written there is lost
	Columns        func() int // width of the terminal on standard error; nil: it is none
}

// newUI returns a ui on some streams.
func newUI(s Streams) *ui { return &ui{Streams: s} }

// terminalUI is the ui of this process.
func terminalUI() *ui {
	u := newUI(Streams{
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

// errClosed says that there is nowhere for a product to go.
var errClosed = errors.New("standard output is closed")

// closedOutput is standard output where there is none.
type closedOutput struct{}

func (closedOutput) Write([]byte) (int, error) { return 0, errClosed }

// answer returns where a command writes whose exit code says what it is asked for: it
// does without a standard output.
func (u *ui) answer() io.Writer {
	if u.StdoutClosed {
		return io.Discard
	}
	return u.Stdout
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

// limit makes a ui say less: nothing but errors and hints if quiet, lines without a bar
// if plain.
func (u *ui) limit(quiet, plain bool) {
	u.quiet = u.quiet || quiet
	if plain {
		u.Columns = nil
	}
}

// screen returns where progress is shown.
func (u *ui) screen() screen {
	switch {
	case u.events != nil:
		return &eventScreen{events: u.events, errors: u.Stderr}
	case u.quiet || u.Columns == nil:
		return &logScreen{w: u.Stderr, quiet: u.quiet}
	}
	return &barScreen{w: u.Stderr, columns: u.Columns}
}

// startProgress shows a run until its close.
func (u *ui) startProgress() *progress { return startProgress(u, u.screen()) }

func (u *ui) retry() retry { return u.retries.look() }

// print writes a line even with --quiet.
func (u *ui) print(text string) { u.put(u.clean(text)) }

// put writes a line that is clean. On a terminal it breaks between words.
func (u *ui) put(line string) {
	if u.Columns != nil {
		line = wrapped(line, u.Columns())
	}
	fmt.Fprintln(u.Stderr, line)
}

// clean makes a line fit to be seen. What is not printable may be part of a secret.
func (u *ui) clean(text string) string { return printable(u.secrets.hide(text)) }

// say prints a line that is neither an error nor a hint.
func (u *ui) say(format string, a ...any) {
	if !u.quiet {
		u.print(fmt.Sprintf(format, a...))
	}
}

// notice prints what a user should know although nothing is wrong.
func (u *ui) notice(format string, a ...any) {
	for _, line := range u.tell(happening{notice: fmt.Sprintf(format, a...)}) {
		u.put(line)
	}
}

// fail says why a command failed, and what to do: one error a line. What was
// said already, a status, is not said again.
func (u *ui) fail(err error) {
	for _, one := range separate(err) {
		hint := u.hints.of(one)
		u.events.failure(one, hint)
		if text, isNew := u.factOnce(one); isNew {
			u.print(errorMark + text)
			u.hint(hint)
		}
	}
}

// factOnce returns what to say of an error, and whether that is new: what holds for a whole
// registry is said of the first artifact that it costs.
func (u *ui) factOnce(err error) (text string, isNew bool) {
	whole := registry.RegistryError(err)
	if whole == nil {
		return fact(err), true
	}
	if u.wholes[whole.Error()] {
		return "", false
	}
	if u.wholes == nil {
		u.wholes = make(map[string]bool)
	}
	u.wholes[whole.Error()] = true
	return fact(err), true
}

// fact is an error without the advice that a fault of a file brings along.
func fact(err error) string {
	if fault, ok := err.(config.Fault); ok {
		fault.Suggestion = ""
		return fault.Error()
	}
	return err.Error()
}

func (u *ui) hint(text string) {
	if u.isNew(text) {
		u.print(hintMark + text)
	}
}

// isNew says whether a hint is one, and is given for the first time.
func (u *ui) isNew(hint string) bool {
	if hint == "" || u.hinted[hint] {
		return false
	}
	if u.hinted == nil {
		u.hinted = make(map[string]bool)
	}
	u.hinted[hint] = true
	return true
}

// separate takes apart what was joined: errors that stand each on a line of
// their own, such as the faults of a spec.
func separate(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	switch {
	case err == nil || is[status](err) && !ok:
		return nil
	case !ok:
		return []error{err}
	}
	var all []error
	var lines []string
	for _, one := range joined.Unwrap() {
		all = append(all, separate(one)...)
		lines = append(lines, one.Error())
	}
	if strings.Join(lines, "\n") != err.Error() {
		return []error{err}
	}
	return all
}
