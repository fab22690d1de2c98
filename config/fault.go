package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong in a file, and where.
type Fault struct {
	File       string
	Line       int    // from 1; 0 where a fault has no place
	Column     int    // from 1, in characters
	Path       string // of the key, such as sources[2].tags.semver; empty for the whole
	Message    string
	Suggestion string // what was perhaps meant; part of Error already
	Err        error  // the cause, for errors.Is and errors.As; may be nil
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

// LoadError has all the faults of a spec or a list, in the order in which they
// are read.
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

// loadError returns nil if there are no faults.
func loadError(faults []Fault) error {
	if len(faults) == 0 {
		return nil
	}
	return &LoadError{Faults: faults}
}

// inOrder returns the faults of one file in its order. One that an alias brings
// twice is said once.
func inOrder(faults []Fault) []Fault {
	slices.SortStableFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.CompactFunc(faults, func(a, b Fault) bool {
		return a.Line == b.Line && a.Column == b.Column && a.Message == b.Message && lastKey(a.Path) == lastKey(b.Path)
	})
}

func lastKey(path string) string {
	return path[strings.LastIndexByte(path, '.')+1:]
}
