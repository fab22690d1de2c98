package e2e

import (
	"fmt"
	"io"
	"maps"
	"os"
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

// skip skips a test for want of a program, and counts it.
func skip(t *testing.T, program string, reason any) {
	t.Helper()
	skipped.Lock()
	skipped.tests[program]++
	skipped.Unlock()
	t.Skip(reason)
}

// needs returns the path of a program of this machine, or skips the test.
func needs(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		skip(t, name, err)
	}
	return path
}

// reportSkips says what was not tested, as the last line of a run. It goes to standard
// error and, since "go test ./..." shows nothing of what passes, to a file for make.
func reportSkips(w io.Writer) {
	var parts []string
	total := 0
	for _, name := range slices.Sorted(maps.Keys(skipped.tests)) {
		parts = append(parts, fmt.Sprintf("%s (%d)", name, skipped.tests[name]))
		total += skipped.tests[name]
	}
	line := "e2e: 0 tests skipped for want of a program\n"
	if total > 0 {
		line = fmt.Sprintf("e2e: %d tests skipped for want of %s\n", total, strings.Join(parts, ", "))
	}
	fmt.Fprint(w, line)
	if name := os.Getenv("SKIPPED"); name != "" {
		if err := os.WriteFile(name, []byte(line), 0o644); err != nil {
			fmt.Fprintln(w, err)
		}
	}
}
