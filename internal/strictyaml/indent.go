package strictyaml

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// indentFault explains a message of the parser that is about the indentation of line n of data,
// from 1, which follows the lines before it in a file. It returns "" for any other message.
func indentFault(data []byte, n, before int, message string) string {
	lines := bytes.SplitN(data, []byte("\n"), n+1)[:n]
	last := string(lines[n-1])
	if odd := oddSpace(last); odd != 0 {
		return fmt.Sprintf("line %d is indented with %U; YAML allows only spaces", before+n, odd)
	}
	switch {
	case !strings.Contains(message, "tab character") && !strings.Contains(message, "cannot start any token"):
	case strings.HasPrefix(strings.TrimLeft(last, " "), "\t"):
		return fmt.Sprintf("line %d is indented with a tab; YAML allows only spaces", before+n)
	case strings.Contains(last, "-\t"):
		return fmt.Sprintf("line %d has a tab after the -; YAML allows only spaces", before+n)
	}
	if !strings.Contains(message, "did not find expected key") && !strings.Contains(message, "expected '-' indicator") &&
		!strings.Contains(message, "mapping values are not allowed") {
		return ""
	}
	var open columns
	for _, line := range lines[:n-1] {
		open.read(string(line))
	}
	return open.misfit(last, before+n)
}

// oddSpace returns the first character of an indentation that only looks like a space, such as
// the non-breaking space in text from a web page, or 0.
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

// noSpace matches a line whose key has no space between the colon and the value.
var noSpace = regexp.MustCompile(`^ *(- )?[A-Za-z]+:[^\s]`)

// syntaxAdvice returns how to correct a line that the parser rejects with a message, or "".
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

// columns holds the columns of the keys and the list elements that the next line can continue.
type columns struct{ keys, elements []int }

// keyed matches text that starts with a key.
var keyed = regexp.MustCompile(`^[^\s#'"\[{&*!|>%@-][^#]*?:(\s|$)|^"[^"]*":|^'[^']*':`)

// read adds a line, which ends all keys and elements that are indented further.
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

// misfit returns the columns at which line n could start, unless it starts at one of them.
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
	return fmt.Sprintf("line %d is indented by %d %s; expected %s", n, at, spaces, numbers)
}
