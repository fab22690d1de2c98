package strictyaml

import (
	"cmp"
	"slices"
	"strings"
)

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
