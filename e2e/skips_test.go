package e2e

import (
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

// skipped are the programs that this machine lacks, and how many tests that cost.
var skipped = struct {
	sync.Mutex
	tests map[string]int
}{tests: make(map[string]int)}

// needs returns the path of a program of this machine, or skips the test and
// counts it.
func needs(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		skipped.Lock()
		skipped.tests[name]++
		skipped.Unlock()
		t.Skip(err)
	}
	return path
}

// reportSkips says what was not tested, as the last line of a run.
func reportSkips(w io.Writer) {
	var parts []string
	total := 0
	for _, name := range slices.Sorted(maps.Keys(skipped.tests)) {
		parts = append(parts, fmt.Sprintf("%s (%d)", name, skipped.tests[name]))
		total += skipped.tests[name]
	}
	if total > 0 {
		fmt.Fprintf(w, "e2e: %d tests skipped for want of %s\n", total, strings.Join(parts, ", "))
	}
}
