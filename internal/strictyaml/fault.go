package strictyaml

import (
	"cmp"
	"slices"
	"strings"
)

// Position is a place in a document. Line and Column count from 1; the zero value is unknown.
type Position struct{ Line, Column int }

// Fault is a fault in a document.
type Fault struct {
	Position   Position
	Path       string // path of the value, such as sources[2].tags; empty for the document
	Suggestion string // a value that was probably meant; may be empty
	Err        error
}

// inOrder returns the faults in the order of the document. A fault that an alias repeats under
// another path occurs once.
func inOrder(faults []Fault) []Fault {
	slices.SortStableFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Position.Line, b.Position.Line), cmp.Compare(a.Position.Column, b.Position.Column))
	})
	return slices.CompactFunc(faults, func(a, b Fault) bool {
		return a.Position == b.Position && a.Err.Error() == b.Err.Error() && lastKey(a.Path) == lastKey(b.Path)
	})
}

func lastKey(path string) string {
	return path[strings.LastIndexByte(path, '.')+1:]
}
