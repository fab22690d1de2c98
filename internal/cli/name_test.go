package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/console"
)

func TestCalledAs(t *testing.T) {
	for value, want := range map[string]string{"oras mirror": "oras mirror", "": "oras-mirror", "sudo oras-mirror": "oras-mirror", "\x1b[2J": "oras-mirror"} {
		got := calledAs(func(name string) string { return map[string]string{"ORAS_MIRROR_NAME": value}[name] })
		if got != want {
			t.Errorf("%q is called as %s", value, got)
		}
	}
}

// TestRename checks what becomes "oras mirror": command lines, and not the name of the project,
// a path, or the command that defines the name.
func TestRename(t *testing.T) {
	grammar, err := newParser(t.Context(), &cli{}, console.Streams{Name: orasName}, new(profile))
	if err != nil {
		t.Fatal(err)
	}
	rename := renamer(grammar.Model)
	for text, want := range map[string]string{
		`create it with "oras-mirror lock -f SPEC"`:      `create it with "oras mirror lock -f SPEC"`,
		"    oras-mirror backup -f x | oras-mirror list": "    oras mirror backup -f x | oras mirror list",
		"run oras-mirror --help":                         "run oras mirror --help",
		"oras-mirror client-config -o etc/":              "oras mirror client-config -o etc/",
		"oras-mirror keeps no state":                     "oras-mirror keeps no state",
		"oras-mirror listens":                            "oras-mirror listens",
		"./oras-mirror list":                             "./oras-mirror list",
		"h.example/oras-mirror list":                     "h.example/oras-mirror list",
		"source <(oras-mirror completion bash --oras)":   "source <(oras-mirror completion bash --oras)",
		"oras-mirror: error: oras-mirror.lock is locked": "oras-mirror: error: oras-mirror.lock is locked",
	} {
		if got := rename(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// TestHelpSaysOrasMirror looks for command lines with another name in the help of each command.
func TestHelpSaysOrasMirror(t *testing.T) {
	grammar, err := Grammar()
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range grammar.Model.Leaves(true) {
		var out, errs bytes.Buffer
		code := Run(t.Context(), []string{command.Name, "--help"}, console.Streams{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Name: orasName})
		if code != 0 || !strings.HasPrefix(out.String(), "Usage: oras mirror "+command.Name) {
			t.Errorf("%s: exit code %d: %s%.80s", command.Name, code, errs.String(), out.String())
		}
		if command.Name != "completion" && strings.Contains(out.String(), "    oras-mirror ") {
			t.Errorf("the help of %s has examples of oras-mirror:\n%s", command.Name, out.String())
		}
	}
}
