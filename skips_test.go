package main

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

// counted are tests that say last what was not tested.
type counted struct{ *testing.M }

func (c counted) Run() int {
	code := c.M.Run()
	reportSkips(os.Stdout)
	return code
}

func reportSkips(w io.Writer) {
	var parts []string
	total := 0
	for _, name := range slices.Sorted(maps.Keys(skipped.tests)) {
		parts = append(parts, fmt.Sprintf("%s (%d)", name, skipped.tests[name]))
		total += skipped.tests[name]
	}
	if total > 0 {
		fmt.Fprintf(w, "%d tests skipped for want of %s\n", total, strings.Join(parts, ", "))
	}
}
