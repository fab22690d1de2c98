package config

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxLine is far more than any line of references needs; a list that has a
// longer one is no list.
const maxLine = 1 << 20

// ReadList reads one reference a line. What follows a # at the start of a line
// or behind white space is a comment; empty lines do not count. All faults are
// reported at once, as a [*LoadError].
func ReadList(name string, r io.Reader) ([]Selection, error) {
	selections, faults := readList(name, r, Selection{Referrers: true})
	if len(faults) > 0 {
		return nil, loadError(faults)
	}
	return selections, nil
}

// Arguments reads references from a command line.
func Arguments(references []string) ([]Selection, error) {
	var all []Selection
	var faults []Fault
	for i, s := range references {
		origin := fmt.Sprintf("argument %d", i+1)
		parsed, err := ParseReferences(s)
		if err != nil {
			faults = append(faults, newFault(origin, place{}, "", err))
			continue
		}
		all = append(all, each(parsed, Selection{Referrers: true, Origin: origin})...)
	}
	return all, loadError(faults)
}

// readList returns base for every reference, with the line as its origin.
func readList(name string, r io.Reader, base Selection) (all []Selection, faults []Fault) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 0
	for lines.Scan() {
		n++
		text, column := content(lines.Text(), n == 1)
		if text == "" {
			continue
		}
		parsed, err := ParseReferences(text)
		if err != nil {
			faults = append(faults, newFault(name, place{n, column}, "", err))
			continue
		}
		base.Origin = fmt.Sprintf("%s:%d", name, n)
		all = append(all, each(parsed, base)...)
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		faults = append(faults, newFault(name, place{n + 1, 1}, "", errors.New("line too long for a list of references")))
	} else if err != nil {
		faults = append(faults, newFault(name, place{}, "", err))
	}
	return all, faults
}

// content returns what a line says without its comment, and the column where
// that begins.
func content(line string, first bool) (text string, column int) {
	if first {
		line = strings.TrimPrefix(line, "\ufeff")
	}
	for i := range len(line) {
		if line[i] == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
			line = line[:i]
			break
		}
	}
	text = strings.TrimSpace(line)
	return text, strings.Index(line, text) + 1
}
