package main

import (
	"fmt"
)

// usageError says that a command line cannot mean anything.
type usageError struct {
	fact string
	hint string // what to type instead; may be empty
}

func (e *usageError) Error() string { return e.fact }

func usage(hint, format string, a ...any) error {
	return &usageError{fact: fmt.Sprintf(format, a...), hint: hint}
}

// streams notes what standard input is used for: it can be read once.
type streams struct{ stdin string }

func (s *streams) readBy(what string) error {
	if s.stdin != "" {
		return usage("", "standard input cannot serve both %s and %s", s.stdin, what)
	}
	s.stdin = what
	return nil
}
