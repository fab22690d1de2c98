package console

import (
	"io"
	"os"

	"golang.org/x/term"

	"github.com/oras-mirror/oras-mirror/internal/exit"
)

// Streams are the streams that a console reads and writes.
type Streams struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	StdinTerminal  bool
	StdoutTerminal bool
	StdoutClosed   bool       // what is written there is lost
	Columns        func() int // width of the terminal on standard error; nil if it is no terminal
	Name           string     // the program in help and hints; empty means oras-mirror
}

// StandardStreams returns the streams of this process.
func StandardStreams() Streams {
	s := Streams{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		StdinTerminal:  isTerminal(os.Stdin),
		StdoutTerminal: isTerminal(os.Stdout),
	}
	if s.StdoutClosed = isClosed(os.Stdout); s.StdoutClosed {
		s.Stdout = closedOutput{}
	}
	if isTerminal(os.Stderr) && canRedraw(os.Getenv) {
		s.Columns = stderrColumns
	}
	return s
}

// Answer returns the writer of a command whose exit code answers, too: it does without
// a standard output.
func (s Streams) Answer() io.Writer {
	if s.StdoutClosed {
		return io.Discard
	}
	return s.Stdout
}

// closedOutput stands for a standard output that is closed.
type closedOutput struct{}

func (closedOutput) Write([]byte) (int, error) { return 0, exit.ErrStdoutClosed }

// canRedraw reports whether a line on a terminal can be drawn over: not where a CI
// system keeps what it sees, nor on a terminal that cannot. There are no colours, so
// that NO_COLOR asks for nothing.
func canRedraw(environment func(string) string) bool {
	ci := environment("CI")
	return (ci == "" || ci == "false" || ci == "0") && environment("TERM") != "dumb"
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// stderrColumns returns the width of the terminal, which changes with its window.
func stderrColumns() int {
	columns, _, err := term.GetSize(int(os.Stderr.Fd()))
	if err != nil || columns <= 0 {
		return 80
	}
	return columns
}
