package config

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// maxLine bounds a line of a list. It is far more than a line of references needs, so that a
// file with a longer line is not a list.
const maxLine = 1 << 20

// ReadList reads one reference per line. A # at the start of a line or after white space
// starts a comment, and empty lines are ignored. The name stands for the list in messages.
// Its error is a [*LoadError] with every fault.
func ReadList(name string, r io.Reader) ([]Selection, error) {
	selections, faults := readList(name, r, Selection{Referrers: true})
	if len(faults) > 0 {
		return nil, loadError(faults)
	}
	return selections, nil
}

// Arguments reads references from the arguments of a command. Its error is a [*LoadError].
func Arguments(references []string) ([]Selection, error) {
	var all []Selection
	var faults []Fault
	for i, s := range references {
		origin := fmt.Sprintf("argument %d", i+1)
		parsed, err := parseReferences(s)
		if err != nil {
			faults = append(faults, newFault(origin, strictyaml.Position{}, "", err))
			continue
		}
		all = append(all, each(parsed, Selection{Referrers: true, Origin: origin})...)
	}
	return all, loadError(faults)
}

// readList returns a copy of base for every reference, with the line as its origin.
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
		parsed, err := parseReferences(text)
		if err != nil {
			faults = append(faults, newFault(name, strictyaml.Position{Line: n, Column: column}, "", err))
			continue
		}
		base.Origin = fmt.Sprintf("%s:%d", name, n)
		all = append(all, each(parsed, base)...)
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		faults = append(faults, newFault(name, strictyaml.Position{Line: n + 1, Column: 1}, "", errors.New("line too long for a list of references")))
	} else if err != nil {
		faults = append(faults, newFault(name, strictyaml.Position{}, "", err))
	}
	return all, faults
}

// content returns the text of a line without its comment, and the column where it starts.
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
