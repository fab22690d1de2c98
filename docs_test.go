package main

import (
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
)

var block = regexp.MustCompile("(?s)\n```(sh|yaml)\n(.*?)\n```")

// blocks returns the code blocks of one language in a document.
func blocks(t *testing.T, path, language string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, m := range block.FindAllStringSubmatch(string(text), -1) {
		if m[1] == language {
			found = append(found, m[2])
		}
	}
	if len(found) == 0 {
		t.Fatalf("%s has no %s block", path, language)
	}
	return found
}

func TestReadmeSpecIsValid(t *testing.T) {
	for _, text := range blocks(t, "README.md", "yaml") {
		spec, err := config.Parse("README.md", []byte(text))
		if err != nil {
			t.Errorf("%v\n%s", err, text)
			continue
		}
		if _, err := spec.Mapper(); err != nil {
			t.Error(err)
		}
	}
}

func TestReadmeCommandsParse(t *testing.T) {
	commands := 0
	for _, text := range blocks(t, "README.md", "sh") {
		for line := range strings.Lines(text) {
			for _, args := range commandLines(line) {
				commands++
				parser, err := newParser(t.Context(), &ui{stdout: io.Discard, stderr: io.Discard})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := parser.Parse(args); err != nil {
					t.Errorf("%s: %v", strings.TrimSpace(line), err)
				}
			}
		}
	}
	if commands < 10 {
		t.Errorf("found %d commands", commands)
	}
}

// commandLines returns the arguments of each oras-mirror in a line of shell.
func commandLines(line string) [][]string {
	line, _, _ = strings.Cut(line, " #")
	var all [][]string
	for part := range strings.SplitSeq(line, "|") {
		_, args, ok := strings.Cut(" "+part, " oras-mirror ")
		if ok {
			all = append(all, strings.Fields(strings.ReplaceAll(args, "'", "")))
		}
	}
	return all
}

// TestReadmeNamesEveryCommand keeps the README from forgetting one.
func TestReadmeNamesEveryCommand(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	parser, err := newParser(t.Context(), &ui{stdout: io.Discard, stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range parser.Model.Leaves(true) {
		if command.Name != "version" && !strings.Contains(string(text), "oras-mirror "+command.Name) {
			t.Errorf("README.md does not show %s", command.Name)
		}
	}
}

// TestWaysToInstall holds what the README says of how to get the program.
func TestWaysToInstall(t *testing.T) {
	for name, want := range map[string]string{
		"go.mod":   "module " + module + "\n",
		"Makefile": ".DEFAULT_GOAL := build\n",
		"LICENSE":  "Apache License\n                           Version 2.0",
	} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), want) {
			t.Errorf("%s has no %q", name, want)
		}
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "go install "+module+"@latest`, or `make` in a checkout") {
		t.Error("README.md does not say how to install it")
	}
}
