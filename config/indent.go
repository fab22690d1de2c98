package config

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// indentFault says in words of the file what a parser's message means where it is
// about the indentation of line n of data, from 1; "" where it is about something
// else.
func indentFault(data []byte, n int, message string) string {
	lines := bytes.SplitN(data, []byte("\n"), n+1)[:n]
	last := string(lines[n-1])
	if odd := oddSpace(last); odd != 0 {
		return fmt.Sprintf("line %d is indented with %U; YAML allows only spaces", n, odd)
	}
	switch {
	case !strings.Contains(message, "tab character") && !strings.Contains(message, "cannot start any token"):
	case strings.HasPrefix(strings.TrimLeft(last, " "), "\t"):
		return fmt.Sprintf("line %d is indented with a tab; YAML allows only spaces", n)
	case strings.Contains(last, "-\t"):
		return fmt.Sprintf("line %d has a tab after the -; YAML allows only spaces", n)
	}
	if !strings.Contains(message, "did not find expected key") && !strings.Contains(message, "expected '-' indicator") &&
		!strings.Contains(message, "mapping values are not allowed") {
		return ""
	}
	var open columns
	for _, line := range lines[:n-1] {
		open.read(string(line))
	}
	return open.misfit(last, n)
}

// oddSpace is the first character of an indentation that only looks like a space,
// as pages of the web have them; 0 if there is none.
func oddSpace(line string) rune {
	for _, r := range line {
		switch {
		case r > unicode.MaxASCII && unicode.IsSpace(r):
			return r
		case r != ' ':
			return 0
		}
	}
	return 0
}

// noSpace begins with a key whose value stands right behind the colon.
var noSpace = regexp.MustCompile(`^ *(- )?[A-Za-z]+:[^\s]`)

// syntaxAdvice returns the correction of a line that a parser refuses with that message; "" where
// that cannot be told.
func syntaxAdvice(line, message string) string {
	switch {
	case strings.Contains(message, "unknown anchor"), strings.Contains(message, "alphabetic or numeric"):
		return "; quote a value that starts with * or &"
	case strings.Contains(message, "cannot start any token"):
		return "; quote a value that starts with @, ` or %"
	case strings.Contains(message, "could not find expected ':'") && noSpace.MatchString(line):
		return "; put a space after the colon"
	}
	return ""
}

// columns returns where the keys and the list elements begin that a line could continue.
type columns struct{ keys, elements []int }

// keyed begins with a key.
var keyed = regexp.MustCompile(`^[^\s#'"\[{&*!|>%@-][^#]*?:(\s|$)|^"[^"]*":|^'[^']*':`)

// read takes one line in: what is indented by more than it has ended.
func (c *columns) read(line string) {
	text := strings.TrimLeft(line, " ")
	if text == "" || text[0] == '#' {
		return
	}
	at := len(line) - len(text)
	deeper := func(column int) bool { return column >= at }
	c.keys, c.elements = slices.DeleteFunc(c.keys, deeper), slices.DeleteFunc(c.elements, func(column int) bool { return column > at })
	for {
		rest, isElement := strings.CutPrefix(text, "- ")
		if !isElement {
			break
		}
		c.elements = append(c.elements, at)
		at, text = at+len(text)-len(strings.TrimLeft(rest, " ")), strings.TrimLeft(rest, " ")
	}
	if keyed.MatchString(text) {
		c.keys = append(c.keys, at)
	}
}

// misfit says where line n would have to begin; "" if it does begin there.
func (c *columns) misfit(line string, n int) string {
	text := strings.TrimLeft(line, " ")
	at, fitting := len(line)-len(text), c.keys
	if strings.HasPrefix(text, "- ") {
		fitting = c.elements
	}
	slices.Sort(fitting)
	fitting = slices.Compact(fitting)
	if len(fitting) == 0 || slices.Contains(fitting, at) {
		return ""
	}
	numbers := strconv.Itoa(fitting[len(fitting)-1])
	for i := len(fitting) - 2; i >= 0; i-- {
		separator := ", "
		if i == len(fitting)-2 {
			separator = " or "
		}
		numbers = strconv.Itoa(fitting[i]) + separator + numbers
	}
	spaces := "spaces"
	if at == 1 {
		spaces = "space"
	}
	return fmt.Sprintf("line %d is indented by %d %s; %s would fit", n, at, spaces, numbers)
}
