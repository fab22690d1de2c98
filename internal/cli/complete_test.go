package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
)

// offered returns the candidates for the last word.
func offered(t *testing.T, words ...string) []string {
	t.Helper()
	code, stdout, stderr := try(t, "", append([]string{"__complete"}, words...)...)
	if code != 0 || stderr != "" {
		t.Fatalf("%q: exit code %d, %s", words, code, stderr)
	}
	var all []string
	for l := range strings.Lines(stdout) {
		text, _, _ := strings.Cut(strings.TrimSuffix(l, "\n"), "\t")
		all = append(all, text)
	}
	return all
}

func TestComplete(t *testing.T) {
	spec := filepath.Join(t.TempDir(), "mirror.yaml")
	text := "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources: [a.io/b:c]\ntargets: [{name: dr, target: b.io}, {name: edge, target: c.io}]\n"
	if err := os.WriteFile(spec, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ Words, want string }{
		{"res", "restore"},
		{"backup --outp", "--output"},
		{"backup -o x.tgz --outp", ""}, // once is enough
		{"restore --only x --onl", "--only --only-failed"},
		{"backup --compression ", "gzip none"},
		{"backup --compression=n", "--compression=none"},
		{"backup --plain-http=", "--plain-http=true --plain-http=false"},
		{"completion ", "bash zsh fish"},
		{"completion bash ", ""},
		{"restore --input ", ":files"},
		{"restore --input=", ":files"},
		{"backup -f ", ":files"},
		{"images ", ":files"},
		{"images a.yaml ", ":files"},
		{"images --format ", "text json"},
		{"client-config -o ", ":folders"},
		{"client-config --format o", "openshift"},
		{"restore -f " + spec + " ", "dr edge"},
		{"restore -f " + spec + " e", "edge"},
		{"client-config --file " + spec + " --target d", "dr"},
		{"restore --input testdata/layout --only registry.example/t", "registry.example/team/app:1.0"},
		{"restore --input=testdata/layout --only docs", "docs.example/team/notes:latest"},
		{"restore --input nothing --only ", ""},
		{"restore --only ", ""},
		{"backup -- --out", ""},
		{"nonsense --out", ""},
		{"__comp", ""},
		{"", "backup*"},
	} {
		got := strings.Join(offered(t, strings.Split(test.Words, " ")...), " ")
		if begin, open := strings.CutSuffix(test.want, "*"); got != test.want && !(open && strings.HasPrefix(got, begin)) {
			t.Errorf("%q is offered %q, want %q", test.Words, got, test.want)
		}
	}
	if got := offered(t); got == nil || slices.Contains(got, "help") || slices.Contains(got, "__complete") {
		t.Errorf("without a word %q is offered", got)
	}
}

// press makes a shell complete the line in $1 as if a key was pressed, and print the new
// line, or the text to append.
type press struct {
	shell  string
	script string
	args   []string
}

var presses = []press{
	{"bash", `source <(oras-mirror completion bash)
COMP_LINE=$1; COMP_POINT=${#1}; _oras_mirror
begun=${1##*[ :=]}
printf '%s\n' "${1%"$begun"}${COMPREPLY[0]}"`, []string{"--norc", "-uc", "", "bash"}},
	{"fish", `source (oras-mirror completion fish | psub)
for found in (complete --do-complete $argv[1])
    set -l word (string split \t -- $found)[1]
    echo (string replace --regex -- '[^ ]*$' '' $argv[1])$word
end`, []string{"--no-config", "-c", ""}},
	// A line editor needs a terminal; this key writes the line to a file and ends the
	// shell.
	{"zsh", `zmodload zsh/zpty
zpty shell "TERM=dumb OUT=$PWD/pressed zsh -f -i"
zpty -w shell 'autoload -Uz compinit; compinit -u -D; source <(oras-mirror completion zsh); pressed() { zle complete-word; print -r -- "$BUFFER" >$OUT; exit }; zle -N pressed; bindkey "^T" pressed; print READ""Y'
zpty -r shell line '*READY*'
zpty -w -n shell "$1"$'\x14'
while zpty -r shell line; do :; done
cat pressed; rm pressed`, []string{"-f", "-c", "", "zsh"}},
}

// TestShellsComplete presses the key in real shells.
func TestShellsComplete(t *testing.T) {
	program, err := exec.LookPath("oras-mirror") // which TestMain put there
	if err != nil {
		t.Fatal(err)
	}
	layout, err := filepath.Abs("testdata/layout")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"one.v1.tgz", "two.tgz", "folder/x"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range presses {
		t.Run(p.shell, func(t *testing.T) {
			shell := skipped.Without(t, p.shell)
			for _, test := range []struct{ line, added string }{
				{"oras-mirror verif", "y"},
				{"oras-mirror backup --outp", "ut"},
				{"oras-mirror backup --compression=n", "one"},
				{"oras-mirror restore --input t", "wo.tgz"},
				{"oras-mirror restore --input=t", "wo.tgz"},
				{"oras-mirror restore --input one", ".v1.tgz"},
				{"oras-mirror restore --only-failed one", ".v1.tgz"},
				{"oras-mirror client-config -o fo", "lder"},
				{"oras-mirror restore --input " + layout + " --only registry.example/team/app:", "1.0"},
				{"oras-mirror restore --input " + layout + " --only registry.example/c", "harts/app:0.1.0"},
			} {
				args := slices.Clone(p.args)
				args[slices.Index(args, "")] = p.script
				cmd := exec.CommandContext(t.Context(), shell, append(args, test.line)...)
				cmd.Dir = dir
				cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(program)+string(os.PathListSeparator)+os.Getenv("PATH"), "GORACE=atexit_sleep_ms=0", "HOME="+dir)
				out, err := cmd.CombinedOutput()
				if got := strings.TrimRight(string(out), " /\n"); err != nil || got != test.line+test.added {
					t.Errorf("%s: %q, %v, want %q", test.line, got, err, test.line+test.added)
				}
			}
		})
	}
}

// TestShellsTakeTheirScripts checks that each installed shell can read its script.
func TestShellsTakeTheirScripts(t *testing.T) {
	for shell, noexec := range map[string]string{"bash": "-n", "zsh": "-n", "fish": "--no-execute"} {
		t.Run(shell, func(t *testing.T) {
			code, script, _ := try(t, "", "completion", shell)
			if code != 0 || !strings.Contains(script, "__complete") {
				t.Fatalf("exit code %d, %q", code, script)
			}
			path := skipped.Without(t, shell)
			cmd := exec.CommandContext(t.Context(), path, noexec)
			cmd.Stdin = strings.NewReader(script)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
