package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
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

// wrongUsage splits what kong says into a fact and a hint. Kong keeps the
// nearest flag or command in its text alone.
func wrongUsage(err error) error {
	var unwritten *unwrittenError
	switch {
	case is[*usageError](err):
		return err
	case errors.As(err, &unwritten):
		return unwritten
	}
	fact, nearest, ok := strings.Cut(err.Error(), ", did you mean ")
	if ok {
		return usage("did you mean "+nearest, "%s", fact)
	}
	if flag := meantFlag(err, strings.TrimPrefix(fact, "unexpected argument ")); flag != "" {
		return usage(fmt.Sprintf("did you mean %q?", flag), "%s", fact)
	}
	if value := meantValue(err); value != "" {
		return usage(fmt.Sprintf("did you mean %q?", value), "%s", fact)
	}
	return usage(fmt.Sprintf("%q lists what there is", asked(err)+" --help"), "%s", fact)
}

// meantFlag is for who leaves out --input or -f before a file that is there.
func meantFlag(err error, argument string) string {
	var parse *kong.ParseError
	if _, statErr := os.Stat(argument); statErr != nil || !errors.As(err, &parse) || parse.Context == nil || parse.Context.Selected() == nil {
		return ""
	}
	for _, flag := range slices.Concat(parse.Context.Selected().AllFlags(true)...) {
		switch flag.Name {
		case "input":
			return "--input " + argument
		case "file":
			return "-f " + argument
		}
	}
	return ""
}

// meantValue is for who misspells one of the few values that a flag can have.
func meantValue(err error) string {
	var parse *kong.ParseError
	if !errors.As(err, &parse) || parse.Context == nil || parse.Context.Selected() == nil {
		return ""
	}
	for _, flag := range slices.Concat(parse.Context.Selected().AllFlags(true)...) {
		given, isText := parse.Context.FlagValue(flag).(string)
		if flag.Enum == "" || !isText || given == "" || slices.Contains(flag.EnumSlice(), given) {
			continue
		}
		if value := nearest(given, flag.EnumSlice(), 1)[0]; distance(given, value) <= 2 {
			return value
		}
	}
	return ""
}

// asked is the command as far as it was understood.
func asked(err error) string {
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context != nil && parse.Context.Selected() != nil {
		return parse.Context.Selected().FullPath()
	}
	return "oras-mirror"
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
