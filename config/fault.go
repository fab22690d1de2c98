package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// Fault is a fault in a file.
type Fault struct {
	File       string
	Line       int    // from 1; 0 if unknown
	Column     int    // from 1, in characters
	Path       string // path of the key, such as sources[2].tags.semver; empty for the file
	Message    string
	Suggestion string // a value that was probably meant; included in Error; may be empty
	Err        error  // the cause, for errors.Is and errors.As; may be nil
}

// newFault returns a fault with err as its cause, and with the suggestion that err has.
func newFault(file string, p strictyaml.Position, path string, err error) Fault {
	f := Fault{File: file, Line: p.Line, Column: p.Column, Path: path, Message: oneLine(err.Error()), Err: err}
	if invalid, ok := errors.AsType[*ReferenceError](err); ok {
		f.Suggestion = invalid.Suggestion
	}
	return f
}

// oneLine returns s without line breaks, so that a fault is one line whatever it quotes.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
}

// Error returns one line: file:line:column: path: message.
func (f Fault) Error() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", f.Line, max(f.Column, 1))
	}
	b.WriteString(": ")
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	b.WriteString(f.Message)
	if f.Suggestion != "" {
		fmt.Fprintf(&b, " (did you mean %q?)", f.Suggestion)
	}
	return b.String()
}

func (f Fault) Unwrap() error { return f.Err }

// LoadError holds every fault of a spec, a lock or a list, in the order of the file.
type LoadError struct {
	Faults []Fault
}

// Error returns one line for each fault.
func (e *LoadError) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

func (e *LoadError) Unwrap() []error {
	errs := make([]error, len(e.Faults))
	for i, f := range e.Faults {
		errs[i] = f
	}
	return errs
}

// loadError returns a *LoadError, or nil if there are no faults.
func loadError(faults []Fault) error {
	if len(faults) == 0 {
		return nil
	}
	return &LoadError{Faults: faults}
}
