//go:build unix

package cli

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
)

// withOras are shells, in the order of interactive, and how they read "completion --oras".
var withOras = []struct{ name, source string }{
	{"bash", "source <(oras-mirror completion bash --oras); "},
	{"zsh", "source <(oras-mirror completion zsh --oras); "},
	{"fish", "oras-mirror completion fish --oras | source; "},
}

// realOras puts the oras that make tools installed in front of PATH, or skips the test.
func realOras(t *testing.T) {
	t.Helper()
	tools, err := filepath.Abs(".tools")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(tools, "oras")); err != nil {
		skipped.Test(t, "oras", "make tools installs oras")
	}
	t.Setenv("PATH", tools+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// typed runs a line in a shell and returns its output and exit code.
func typed(t *testing.T, shell, stdin, line string) (out string, code int) {
	t.Helper()
	flags := map[string][]string{"bash": {"--norc", "-uc"}, "zsh": {"-f", "-uc"}, "fish": {"--no-config", "-c"}}[shell]
	if shell == "zsh" { // without its completion, which takes long to load
		line = "compdef() { }; " + line
	}
	cmd := exec.CommandContext(t.Context(), skipped.Without(t, shell), append(flags, line)...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", "HOME="+cmd.Dir)
	cmd.Stdin = strings.NewReader(stdin)
	text, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(text), cmd.ProcessState.ExitCode()
}

// TestOrasMirror types "oras mirror" and commands of oras in real shells with the real oras.
func TestOrasMirror(t *testing.T) {
	realOras(t)
	for _, shell := range withOras {
		t.Run(shell.name, func(t *testing.T) {
			for _, test := range []struct {
				line, stdin string
				code        int
				want        string // a part of the output
			}{
				{"oras mirror version", "", 0, "oras-mirror dev ("},
				{"oras mirror --help", "", 0, "Usage: oras mirror <command> [flags]"},
				{"oras mirror backup --help", "", 0, "\n    oras mirror backup -f mirror.yaml\n"},
				{"oras mirror", "", 2, `Run "oras mirror <command> --help"`},
				{"oras mirror list --input x --format yaml", "", 2, `hint: see "oras mirror list --help"`},
				{"oras mirror lock --check -f 'no such.yaml'", "", 2, "no such.lock.yaml: lock not found\noras-mirror: hint: create it with \"oras mirror lock -f SPEC\""},
				{"oras mirror backup -o x.tgz -", "nginx\n", 2, "standard input:1:1"},
				{"oras version", "", 0, "Go version:"},
				{"oras mirrors", "", 1, `unknown command "mirrors" for "oras"`},
				{"sh -c 'oras mirror version'", "", 1, `unknown command "mirror" for "oras"`}, // a script
				{"oras", "", 0, "Usage:\n  oras [command]"},
				{"oras blob push --oci-layout --size 5 layout@sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824 -", "hello", 0, "Digest: sha256:2cf24dba5fb0a30e"},
			} {
				out, code := typed(t, shell.name, test.stdin, shell.source+test.line)
				if code != test.code || !strings.Contains(out, test.want) {
					t.Errorf("%s: exit code %d, want %d and %q in\n%s", test.line, code, test.code, test.want, out)
				}
			}
		})
	}
}

// TestOrasIsUntouched checks that oras gets its arguments, standard input and environment as
// they were typed, and that the shell gets its exit code.
func TestOrasIsUntouched(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\necho \"$# arguments, ${ORAS_MIRROR_NAME:-no name}\"\nfor a in \"$@\"; do echo \"[$a]\"; done\ncat\nexit 42\n"
	if err := os.WriteFile(filepath.Join(dir, "oras"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	for _, shell := range withOras {
		t.Run(shell.name, func(t *testing.T) {
			out, code := typed(t, shell.name, "input\n", shell.source+`oras cp mirror 'a  b' '' '*' '$HOME'`)
			want := "6 arguments, no name\n[cp]\n[mirror]\n[a  b]\n[]\n[*]\n[$HOME]\ninput\n"
			if out != want || code != 42 {
				t.Errorf("exit code %d, %q, want %q", code, out, want)
			}
		})
	}
}

// completionsOfOras are ways in which shells get the completion of oras: it is read before ours
// or after it, or found by the shell when it is needed.
var completionsOfOras = []struct {
	name string
	ways map[string]string // by shell, before the lines of ours, or around "OURS"
}{
	{"sourced", map[string]string{
		"bash": "source <(oras completion bash)",
		"zsh":  "autoload -Uz compinit; compinit -u -D; source <(oras completion zsh)",
		"fish": "oras completion fish | source",
	}},
	{"sourced later", map[string]string{
		"bash": "OURS source <(oras completion bash)",
		"zsh":  "autoload -Uz compinit; compinit -u -D; OURS source <(oras completion zsh)",
		"fish": "OURS oras completion fish | source",
	}},
	{"found", map[string]string{
		"bash": "__load_completion() { source <(oras completion bash); }", // as bash-completion does
		"zsh":  "oras completion zsh >_oras; fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D",
		"fish": "oras completion fish >oras.fish; set fish_complete_path $PWD $fish_complete_path",
	}},
}

// TestOrasMirrorCompletes presses Tab in real shells that have the completion of the real oras
// and ours.
func TestOrasMirrorCompletes(t *testing.T) {
	realOras(t)
	for i, shell := range withOras {
		for _, completion := range completionsOfOras {
			t.Run(shell.name+"/"+completion.name, func(t *testing.T) {
				skipped.Without(t, shell.name)
				setUp := completion.ways[shell.name]
				if !strings.Contains(setUp, "OURS") {
					setUp += "\nOURS"
				}
				completeOras(t, interactive[i].start, strings.Replace(setUp, "OURS", shell.source, 1))
			})
		}
	}
}

// completeOras starts a shell, sets it up, and presses Tab.
func completeOras(t *testing.T, start, setUp string) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "two.tgz"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(start, "bash") { // bash-completion has this function, which the completion of oras calls
		setUp = "_get_comp_words_by_ref() { read -ra words <<<\"$COMP_LINE\"; cword=$((${#words[@]} - 1)) cur=${words[-1]} prev=${words[-2]}; }\n" + setUp
	}
	if err := os.WriteFile(filepath.Join(dir, "setup"), []byte(setUp), 0o600); err != nil {
		t.Fatal(err)
	}
	p := openPane(t, 200, dir, "HOME="+dir+" "+start)
	p.enter("source ./setup; echo rea''dy.")
	p.until(`(?m)^ready\.`)
	for _, test := range []struct{ line, want string }{
		{"oras mirror verif", `oras mirror verify`},
		{"oras mirror restore --input t", `--input two\.tgz`},
		{"oras mirror backup --compression=n", `--compression=none`},
		{"oras mirro", `oras mirror( |\n|$)`},
		{"oras versio", `oras version`},
		{"oras manifest fetch-con", `oras manifest fetch-config`},
		{"oras mirror statemen", `oras mirror statement`}, // the completion of oras has been loaded
		{"oras-mirror verif", `oras-mirror verify`},
	} {
		p.run("send-keys", "-t", "0", "-l", test.line+"\t")
		p.until(test.want)
		p.run("send-keys", "-t", "0", "C-u")
	}
}
