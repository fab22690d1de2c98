// Package skipped counts the tests that a machine cannot run for want of a
// program, so that a run which passes says what it did not show.
package skipped

import (
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

var (
	mu    sync.Mutex             // guards tests
	tests = make(map[string]int) // by the program that they want
)

// Test skips a test for want of a program, and counts it.
func Test(t *testing.T, program string, reason any) {
	t.Helper()
	mu.Lock()
	tests[program]++
	mu.Unlock()
	t.Skip(reason)
}

// Without returns the path of a program of this machine, or skips the test.
func Without(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		Test(t, program, err)
	}
	return path
}

// Report writes to w what was not tested in a package, after its tests, and,
// since "go test ./..." shows nothing of what passes, to a file with its name in the
// folder $SKIPPED, if there is one.
func Report(w io.Writer, name string) error {
	mu.Lock()
	defer mu.Unlock()
	total := 0
	var parts []string
	for _, program := range slices.Sorted(maps.Keys(tests)) {
		total += tests[program]
		parts = append(parts, fmt.Sprintf("%s (%d)", program, tests[program]))
	}
	line := fmt.Sprintf("%s: %d tests skipped for want of a program\n", name, total)
	if total > 0 {
		line = fmt.Sprintf("%s: %d tests skipped for want of %s\n", name, total, strings.Join(parts, ", "))
	}
	_, err := io.WriteString(w, line)
	if folder := os.Getenv("SKIPPED"); folder != "" && err == nil {
		err = os.WriteFile(filepath.Join(folder, strings.ReplaceAll(name, "/", "_")), []byte(line), 0o644)
	}
	return err
}
