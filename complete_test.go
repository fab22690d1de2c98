package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// offered are the candidates for the last word.
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
	for _, test := range []struct{ words, want string }{
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
		got := strings.Join(offered(t, strings.Split(test.words, " ")...), " ")
		if begin, open := strings.CutSuffix(test.want, "*"); got != test.want && !(open && strings.HasPrefix(got, begin)) {
			t.Errorf("%q is offered %q, want %q", test.words, got, test.want)
		}
	}
	if got := offered(t); got == nil || slices.Contains(got, "help") || slices.Contains(got, "__complete") {
		t.Errorf("without a word %q is offered", got)
	}
}

// TestBashCompletes presses the key in a real bash.
func TestBashCompletes(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip(err)
	}
	program, err := exec.LookPath("oras-mirror") // which TestMain put there
	if err != nil {
		t.Skip(err)
	}
	layout, err := filepath.Abs("testdata/layout")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"one:v1.tgz", "two.tgz", "folder/x"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct{ line, want string }{
		{"oras-mirror verif", "verify"},
		{"oras-mirror backup --compression=n", "none"},
		{"oras-mirror restore --input t", "two.tgz"},
		{"oras-mirror restore --input=t", "two.tgz"},
		{"oras-mirror restore --input one:", "v1.tgz"},
		{"oras-mirror client-config -o ", "folder"},
		{"oras-mirror restore --input " + layout + " --only registry.example/team/app:", "1.0"},
		{"oras-mirror restore --input " + layout + " --only registry.example/c", "registry.example/charts/app:0.1.0"},
		{"oras-mirror nonsense", ""},
	} {
		script := `source <(oras-mirror completion bash); COMP_LINE=$1; COMP_POINT=${#1}; _oras_mirror; printf '%s\n' "${COMPREPLY[@]}"`
		cmd := exec.CommandContext(t.Context(), bash, "--norc", "-uc", script, "bash", test.line)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(program)+string(os.PathListSeparator)+os.Getenv("PATH"), "GORACE=atexit_sleep_ms=0")
		out, err := cmd.CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != test.want {
			t.Errorf("%s: %q, %v, want %q", test.line, got, err, test.want)
		}
	}
}

// TestShellsTakeTheirScripts asks each shell that is there whether it can read its
// script.
func TestShellsTakeTheirScripts(t *testing.T) {
	for shell, noexec := range map[string]string{"bash": "-n", "zsh": "-n", "fish": "--no-execute"} {
		t.Run(shell, func(t *testing.T) {
			code, script, _ := try(t, "", "completion", shell)
			if code != 0 || !strings.Contains(script, "__complete") {
				t.Fatalf("exit code %d, %q", code, script)
			}
			path, err := exec.LookPath(shell)
			if err != nil {
				t.Skip(err)
			}
			cmd := exec.CommandContext(t.Context(), path, noexec)
			cmd.Stdin = strings.NewReader(script)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
