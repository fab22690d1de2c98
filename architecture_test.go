package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func architecture(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return slices.Compact(slices.Sorted(slices.Values(strings.Fields(string(out)))))
}

var (
	required = regexp.MustCompile(`(?m)^\t(\S+) v\S+$`) // without "// indirect"
	reason   = regexp.MustCompile("(?m)^\\| `([^`]+/[^`]+)` \\| (\\S.*) \\|$")
)

// TestEveryLibraryHasItsReason holds go.mod and docs/architecture.md together: each
// library is there with a reason, and one that is said to be for tests is in no program.
func TestEveryLibraryHasItsReason(t *testing.T) {
	reasons := make(map[string]string)
	for _, row := range reason.FindAllStringSubmatch(architecture(t), -1) {
		reasons[row[1]] = row[2]
	}
	module, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	inPrograms := goList(t, "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".", "./internal/release")
	for _, m := range required.FindAllStringSubmatch(string(module), -1) {
		why, ok := reasons[m[1]]
		delete(reasons, m[1])
		if !ok {
			t.Errorf("docs/architecture.md does not say why there is %s", m[1])
		}
		if forTests := strings.HasPrefix(why, "tests: "); forTests == slices.Contains(inPrograms, m[1]) {
			t.Errorf("%s is there for %q; it is in these programs: %v", m[1], why, !forTests)
		}
	}
	for path := range reasons {
		t.Errorf("docs/architecture.md names %s, go.mod does not", path)
	}
}

// TestTheHouse holds the plan in docs/architecture.md to the folders there are.
func TestTheHouse(t *testing.T) {
	_, plan, _ := strings.Cut(architecture(t), "```\n")
	plan, _, _ = strings.Cut(plan, "```\n")
	var rooms []string
	for line := range strings.Lines(plan) {
		room := strings.Fields(line)[0]
		if room == "*.go" {
			continue
		}
		if _, err := os.Stat(room); err != nil {
			t.Error(err)
		}
		rooms = append(rooms, strings.TrimSuffix(room, "/"))
	}
	for _, path := range goList(t, "./...") {
		folder := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
		if folder != "" && !slices.Contains(rooms, folder) {
			t.Errorf("docs/architecture.md has no room for %s", folder)
		}
	}
}

var fileName = regexp.MustCompile("`([a-z_/]+\\.(?:go|md|yaml|json|sh))`")

// TestDocsNameFilesThatAreThere: what the docs call a file of ours is one.
func TestDocsNameFilesThatAreThere(t *testing.T) {
	named := 0
	for _, m := range fileName.FindAllStringSubmatch(architecture(t), -1) {
		named++
		if _, err := os.Stat(m[1]); err != nil {
			t.Error(err)
		}
	}
	if named < 10 {
		t.Errorf("only %d files are named", named)
	}
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "README.md", "CONTRIBUTING.md") {
		checkLinks(t, page)
	}
}

var link = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)

// checkLinks checks the links of a page that lead to files beside it.
func checkLinks(t *testing.T, page string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range link.FindAllStringSubmatch(string(text), -1) {
		if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
			t.Errorf("%s: %v", page, err)
		}
	}
}
