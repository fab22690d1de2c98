package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/cli"
	"github.com/oras-mirror/oras-mirror/internal/stories"
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

// TestShownCommandsParse parses every command line of the pages.
func TestShownCommandsParse(t *testing.T) {
	commands := 0
	for _, page := range []string{"README.md", "docs/commands.md"} {
		for _, text := range blocks(t, page, "sh") {
			for line := range strings.Lines(text) {
				for _, args := range stories.CommandLines(line) {
					commands++
					parses(t, args)
				}
			}
		}
	}
	if commands < 30 {
		t.Errorf("found %d commands", commands)
	}
}

// TestCommandsPageNamesEveryCommand fails when a command is missing in docs/commands.md.
func TestCommandsPageNamesEveryCommand(t *testing.T) {
	text, err := os.ReadFile("docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	parser, err := cli.Grammar()
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range parser.Model.Leaves(true) {
		if !strings.Contains(string(text), "oras-mirror "+command.Name) {
			t.Errorf("docs/commands.md does not show %s", command.Name)
		}
	}
}

// TestPagesNameEveryFlag fails when a flag is on no page. A flag for one side of sync is on the
// page of its flag for both.
func TestPagesNameEveryFlag(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, page := range append(pages, "README.md") {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(content)
	}
	for _, command := range leaves(t) {
		for _, flag := range command.Flags {
			name := strings.TrimPrefix(strings.TrimPrefix(flag.Name, "from-"), "to-")
			named := regexp.MustCompile("--" + name + `\b`).MatchString(text.String())
			short := flag.Short != 0 && strings.Contains(text.String(), " -"+string(flag.Short)+" ")
			if !flag.Hidden && !named && !short {
				t.Errorf("no page has --%s of %s", flag.Name, command.Name)
			}
		}
	}
}

// TestWaysToInstall checks the ways to install that the README offers.
func TestWaysToInstall(t *testing.T) {
	for name, want := range map[string]string{
		"go.mod":    "module " + "github.com/oras-mirror/oras-mirror\n",
		"Makefile":  ".DEFAULT_GOAL := build\n",
		"LICENSE":   "Apache License\n                           Version 2.0",
		"README.md": "\ngo install " + "github.com/oras-mirror/oras-mirror@latest\n",
	} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), want) {
			t.Errorf("%s has no %q", name, want)
		}
	}
}

var makeLine = regexp.MustCompile(`(?m)^make ([a-z-]+) `)

// TestMakeTargetsOfTheReadme checks that the Makefile has the targets that the README names,
// and that they install what they need.
func TestMakeTargetsOfTheReadme(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	var targets []string
	for _, text := range blocks(t, "README.md", "sh") {
		for _, m := range makeLine.FindAllStringSubmatch(text, -1) {
			targets = append(targets, m[1])
		}
	}
	if got := strings.Join(targets, " "); got != "demo test" {
		t.Errorf("README.md names make %s", got)
	}
	for _, rule := range []string{"\ndemo: build demo-registry $(call stamp,$(ORAS)) ##", "\ntest: tools packages ##"} {
		if !strings.Contains(string(makefile), rule) {
			t.Errorf("the Makefile lacks %q", rule)
		}
	}
}

var pathInText = regexp.MustCompile("`(\\.?[a-zA-Z_]+(?:/[a-zA-Z_.]+)*(?:/|\\.go|\\.md|\\.json|\\.golden|\\.mod))`")

// TestContributingNamesWhatIsThere checks that the files and folders in CONTRIBUTING.md exist.
func TestContributingNamesWhatIsThere(t *testing.T) {
	text, err := os.ReadFile("CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	paths := pathInText.FindAllStringSubmatch(string(text), -1)
	for _, m := range paths {
		if _, err := os.Stat(m[1]); err != nil {
			t.Error(err)
		}
	}
	if len(paths) < 40 {
		t.Errorf("only %d paths were found", len(paths))
	}
}
