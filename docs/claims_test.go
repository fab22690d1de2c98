package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// claimed are the pages whose every claim needs a test.
var claimed = []string{"README.md", "docs/commands.md", "docs/comparison.md", "docs/exit-codes.md"}

// TestEveryClaimHasItsProof fails when a page makes a claim without a test.
func TestEveryClaimHasItsProof(t *testing.T) {
	unused := make(map[string]bool)
	for key := range proofs {
		unused[key] = true
	}
	for _, page := range claimed {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, claim := range claimsOf(string(text)) {
			proven := false
			for key := range proofs {
				if strings.Contains(claim, key) {
					proven = true
					delete(unused, key)
				}
			}
			if !proven {
				t.Errorf("%s: no test is named for: %s", page, claim)
			}
		}
	}
	for key := range unused {
		t.Errorf("no page claims: %s", key)
	}
	for key, tests := range proofs {
		for name := range strings.FieldsSeq(tests) {
			if !isTest(t, name) {
				t.Errorf("%s: test %s not found", key, name)
			}
		}
	}
}

var (
	codeBlock   = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")
	heading     = regexp.MustCompile(`(?m)^#.*$`)
	sentenceEnd = regexp.MustCompile(`(?:[.!?](?:\*\*)?|;)(?: |$)`)
)

// claimsOf returns the sentences of a page, the comments of its commands and the rows of
// its tables, each with single spaces.
func claimsOf(page string) []string {
	var all []string
	add := func(text string) {
		if text = oneLine(text); text != "" {
			all = append(all, text)
		}
	}
	for _, block := range codeBlock.FindAllStringSubmatch(page, -1) {
		for line := range strings.Lines(block[2]) {
			if _, comment, ok := strings.Cut(line, " # "); ok && block[1] == "sh" {
				add(comment)
			}
		}
	}
	page = heading.ReplaceAllString(codeBlock.ReplaceAllString(page, ""), "")
	for paragraph := range strings.SplitSeq(page, "\n\n") {
		switch {
		case strings.HasPrefix(paragraph, "|"):
			for i, row := range strings.Split(strings.TrimSpace(paragraph), "\n") {
				if i > 1 { // below the header
					add(row)
				}
			}
		case strings.HasSuffix(strings.TrimSpace(paragraph), ":"): // introduces a block
		case strings.HasPrefix(paragraph, "Next: ["): // leads to the next page
		default:
			for _, item := range strings.Split("\n"+paragraph, "\n- ") {
				for _, sentence := range sentenceEnd.Split(oneLine(item), -1) {
					add(sentence)
				}
			}
		}
	}
	return all
}

// isTest reports whether FOLDER.TestName or a script exists.
func isTest(t *testing.T, name string) bool {
	t.Helper()
	folder, test, ok := strings.Cut(name, ".")
	if !ok || test == "txtar" {
		_, err := os.Stat(filepath.Join("testdata", "script", name))
		return err == nil
	}
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(source), "func "+test+"(t *testing.T)") {
			return true
		}
	}
	return false
}
