package config

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// indentFault says in words of the file what a parser's message means where it is
// about the indentation of line n of data, from 1; "" where it is about something
// else.
func indentFault(data []byte, n int, message string) string {
	lines := bytes.SplitN(data, []byte("\n"), n+1)[:n]
	last := string(lines[n-1])
	switch {
	case !strings.Contains(message, "tab character") && !strings.Contains(message, "cannot start any token"):
	case strings.HasPrefix(strings.TrimLeft(last, " "), "\t"):
		return fmt.Sprintf("line %d is indented with a tab; YAML takes only spaces", n)
	case strings.Contains(last, "-\t"):
		return fmt.Sprintf("line %d has a tab after the -; YAML takes only spaces", n)
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

// columns are where the keys and the list elements begin that a line could go on.
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
	return fmt.Sprintf("line %d is indented by %d %s, where %s would fit", n, at, spaces, numbers)
}
