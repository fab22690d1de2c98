package engine_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const faultTable = "../docs/reliability.md"

var (
	faultRow  = regexp.MustCompile("(?m)^\\|.*\\| `([a-z0-9/]*)\\.(Test[A-Za-z0-9]+)` \\|$")
	testBegin = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9]+)\(t \*testing\.T\)`)
)

// TestEveryFaultHasItsTest holds docs/reliability.md to the tests: each row names
// one that exists, and each test of a fault has a row.
func TestEveryFaultHasItsTest(t *testing.T) {
	table, err := os.ReadFile(faultTable)
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]bool)
	folders := make(map[string]map[string]bool)
	for _, row := range faultRow.FindAllStringSubmatch(string(table), -1) {
		name := row[1] + "." + row[2]
		if rows[name] {
			t.Errorf("%s has two rows", name)
		}
		rows[name] = true
		if folders[row[1]] == nil {
			folders[row[1]] = testsIn(t, filepath.Join("..", row[1], "*_test.go"))
		}
		if !folders[row[1]][row[2]] {
			t.Errorf("there is no test %s", name)
		}
	}
	heads := strings.Count(string(table), "\n|---")
	if lines := strings.Count(string(table), "\n|") - 2*heads; lines != len(rows) {
		t.Errorf("%d rows name %d tests", lines, len(rows))
	}
	for _, files := range []string{"engine/faults_*_test.go", "e2e/kill_test.go", "e2e/reliability_test.go"} {
		folder := filepath.Dir(files)
		for name := range testsIn(t, filepath.Join("..", files)) {
			if name != t.Name() && !rows[folder+"."+name] {
				t.Errorf("%s.%s has no row in %s", folder, name, faultTable)
			}
		}
	}
}

// testsIn returns the names of the tests in some files.
func testsIn(t *testing.T, pattern string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v", pattern, err)
	}
	names := make(map[string]bool)
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testBegin.FindAllStringSubmatch(string(source), -1) {
			names[m[1]] = true
		}
	}
	return names
}
