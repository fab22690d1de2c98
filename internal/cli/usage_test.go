package cli

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// try runs a command line in this process.
func try(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	s := console.Streams{Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errs}
	code = Run(t.Context(), args, s)
	return code, out.String(), errs.String()
}

func TestWrongUsage(t *testing.T) {
	const digest = "@sha256:1111111111111111111111111111111111111111111111111111111111111111"
	for _, test := range []struct {
		args  string
		fact  string
		hint  string // none if empty
		stdin string
	}{
		{args: "backp", fact: `unknown command "backp"`, hint: `did you mean "backup"?`},
		{args: "backup --ouput x a.io/b:c", fact: `unknown flag --ouput`, hint: `did you mean "--output"?`},
		{args: "backup a.io/b:c", fact: "missing --output", hint: "--output PATH"},
		{args: "backup -o x.tgz", fact: "nothing to back up", hint: "-f"},
		{args: "backup -o x.tgz nginx:1.25", fact: `"nginx:1.25": no registry`, hint: `did you mean "docker.io/library/nginx:1.25"?`},
		{args: "backup -o x.tgz a.io/B:c", fact: "upper case"},
		{args: "backup -o x.tgz a.io/b@sha256:11", fact: "sha256 digest must have 64"},
		{args: "backup -o x.tgz - -", fact: "standard input cannot be used for both the list of references and the list of references"},
		{args: "backup -o x.tgz - -u me --password-stdin", fact: "standard input cannot be used for both the list of references and --password-stdin"},
		{args: "backup -o x.tgz -", stdin: "a.io/b:c\nnginx\n", fact: `standard input:2:1: "nginx": no registry`},
		{args: "backup -o x.tgz -u me -p x a.io/b:c b.io/c:d", fact: "--username works with only one registry, and this run has 2: a.io, b.io", hint: "oras login"},
		{args: "backup -o x.tgz --identity-token-stdin a.io/b:c b.io/c:d", fact: "--identity-token-stdin works with only one registry"},
		{args: "backup -o x.tgz -u me a.io/b:c", fact: "--username needs a password", hint: "--password-stdin"},
		{args: "backup -o x.tgz -u me --identity-token x a.io/b:c", fact: "cannot be used with an identity token"},
		{args: "backup -o x.tgz -p x --password-stdin a.io/b:c", fact: "can't be used together"},
		{args: "backup -o x.tgz --password-stdin a.io/b:c", fact: "invalid password or token"},
		{args: "backup -o x.tgz --include-referrers --exclude-referrers a.io/b:c", fact: "can't be used together"},
		{args: "backup -o x.tgz --cert-file x a.io/b:c", fact: "--cert-file and --key-file must be used together"},
		{args: "backup -o x.tgz --concurrency 0 a.io/b:c", fact: "--concurrency must be at least 1"},
		{args: "backup -o x.tgz --buffer 1KiB a.io/b:c", fact: "--buffer must be at least 1MiB"},
		{args: "backup -o x.tgz --buffer much a.io/b:c", fact: "invalid size"},
		{args: "backup -o x.tgz --compression zstd a.io/b:c", fact: "--compression"},
		{args: "backup -o x.tgz --distribution-spec v2 a.io/b:c", fact: "--distribution-spec"},
		{args: "backup -o x.tgz -H nonsense a.io/b:c", fact: `invalid --header "nonsense"`, hint: "NAME: VALUE"},
		{args: "backup -o x.tgz --resolve a.io:443 a.io/b:c", fact: "invalid --resolve", hint: "HOST:PORT:ADDRESS"},
		{args: "backup -o x.tgz -f missing.yaml", fact: "missing.yaml: no such file"},
		{args: "backup -o x.tgz -f a.yaml -f b.yaml", fact: "-f can be given only once", hint: "run once for each spec, or list all sources in one"},
		{args: "backup -f=a.yaml --file b.yaml -o x.tgz", fact: "-f can be given only once", hint: "run once for each spec"},
		{args: "backup a.io/b -o x.tgz -o y.tgz", fact: "-o can be given only once", hint: "run once for each output"},
		{args: "verify --input x --statement a.json --statement b.json", fact: "--statement can be given only once", hint: "run once for each statement"},
		{args: "sync a.io/b:c d.io/e", fact: "no target to sync to", hint: `did you mean "--target d.io/e"?`},
		{args: "sync a.io/b:c", fact: "no target to sync to", hint: "name one with --target REGISTRY[/NAMESPACE]"},
		{args: "sync a.io d.io", fact: `"d.io" is a registry, and not what to copy`, hint: `did you mean "--target d.io"?`},
		{args: "plan --sync a.io/b d.io:5000", fact: `"d.io:5000" is a registry, and not what to copy`, hint: `did you mean "--target d.io:5000"?`},
		{args: "sync -f missing.yaml d.io", fact: `"d.io" is a registry, and not what to copy`, hint: `did you mean "--target d.io"?`},
		{args: "sync --target d.io a.io", fact: "a registry without a repository", hint: "add a repository"},
		{args: "restore a.io", fact: "missing --input", hint: "--input PATH"},
		{args: "restore --input x", fact: "no target", hint: "REGISTRY[/NAMESPACE]"},
		{args: "restore --input x a.io/b" + digest, fact: "a target has no digest", hint: `did you mean "a.io/b"? --only sha256:1`},
		{args: "restore --input x mirror", fact: "no registry"},
		{args: "restore --input - --password-stdin -u me a.io", fact: "standard input cannot be used for both --input - and --password-stdin"},
		{args: "restore --input x --only [ a.io", fact: "invalid --only pattern"},
		{args: "restore --input x --dry-run --report r.json a.io", fact: "--report cannot be used with --dry-run"},
		{args: "restore --input x --only-failed nowhere.json a.io", fact: "nowhere.json: no such file"},
		{args: "backup -o x.tgz --report - a.io/b:c", fact: "--report cannot write to standard output", hint: "choose a file"},
		{args: "prune -o x", fact: "missing flags: --file"},
		{args: "backup a.io/b -o x.tgz c.io/d", fact: "unexpected argument c.io/d", hint: "put all references next to each other"},
		{args: "restore --input x a.io b.io", fact: "unexpected argument b.io", hint: `name each target with --target, or list them under "targets:" in a spec`},
		{args: "lock a.io/b:c", fact: "unexpected argument a.io/b:c", hint: `lock reads a mirror spec, named with -f: "oras-mirror init -o mirror.yaml a.io/b:c" writes one`},
		{args: "list --input x --json", fact: "unknown flag --json", hint: `did you mean "--format json"?`},
		{args: "merge -o y.tgz --input x.tgz", fact: "unknown flag --input", hint: "name the inputs as arguments, without a flag"},
		{args: "backup -o x.tgz a.io/b@1234567890ab", fact: "invalid digest", hint: `a digest must be whole: "oras resolve REGISTRY/REPOSITORY:TAG" prints it`},
		{args: "backup -o x.tgz a.io/b@sha256:1234567890ab", fact: "64 lower case", hint: "a digest must be whole"},
		{args: "backup -o x.tgz a.io/", fact: "no repository", hint: "add a repository, or list the whole registry in a spec"},
		{args: "backup a.io/b bundle.tgz", fact: "a registry without a repository", hint: `did you mean "-o bundle.tgz"?`},
		{args: "backup -o x.tgz a.io/b bundle.tgz", fact: "a registry without a repository", hint: "file not found"},
		{args: "validate -f -", fact: "-: no such file or directory", hint: "to read a spec from standard input, use -f /dev/stdin"},
		{args: "list", fact: "missing --input"},
		{args: "list --input x --format yaml", fact: "--format", hint: `"oras-mirror list --help"`},
		{args: "verify", fact: "missing --input"},
		{args: "validate", fact: "missing flags: --file"},
		{args: "validate -f missing.yaml", fact: "missing.yaml: no such file"},
		{args: "backup -o x.tgz a.io/b:v1,", fact: "no tag or digest after a comma"},
		{args: "backup -o x.tgz a.io/b,v1" + digest, fact: "a list of tags needs a tag before the comma"},
	} {
		t.Run(test.args, func(t *testing.T) {
			t.Chdir(t.TempDir())
			code, stdout, stderr := try(t, test.stdin, strings.Fields(test.args)...)
			if code != 2 {
				t.Errorf("exit code %d, want 2", code)
			}
			if stdout != "" {
				t.Errorf("standard output has %q", stdout)
			}
			lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
			if !strings.HasPrefix(lines[0], text.ErrorMark) || !strings.Contains(lines[0], test.fact) {
				t.Errorf("got %q, want an error with %q", lines[0], test.fact)
			}
			switch {
			case test.hint == "" && len(lines) == 1:
			case len(lines) == 2 && strings.HasPrefix(lines[1], text.HintMark) && strings.Contains(lines[1], test.hint):
			case test.hint == "" && len(lines) == 2 && strings.HasPrefix(lines[1], text.HintMark+`see "oras-mirror`) && strings.HasSuffix(lines[1], `--help"`):
			default:
				t.Errorf("got %q, want one error and the hint %q", lines, test.hint)
			}
		})
	}
}

func TestTerminalIsNoFile(t *testing.T) {
	for _, args := range [][]string{
		{"backup", "-o", "-", "a.io/b:c"},
		{"restore", "--input", "-", "a.io"},
		{"list", "--input", "-"},
	} {
		var out, errs bytes.Buffer
		s := console.Streams{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, StdinTerminal: true, StdoutTerminal: true}
		if code := Run(t.Context(), args, s); code != 2 || !strings.Contains(errs.String(), "terminal") {
			t.Errorf("%v: exit code %d, %s", args, code, errs.String())
		}
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"backup", "--help"}, {"restore", "-h"}} {
		code, stdout, stderr := try(t, "", args...)
		if code != 0 || stderr != "" || !strings.Contains(stdout, "Usage: oras-mirror") {
			t.Errorf("%v: exit code %d, %q, %q", args, code, stdout, stderr)
		}
	}
}

func TestOutputThatTakesNothingIsNoWrongUsage(t *testing.T) {
	for _, args := range []string{"--help", "backup --help", "help", "help backup", "version", "version --format json",
		"schema", "man", "completion bash", "init", "list --input " + filepath.Join(testdata, "layout")} {
		var errs bytes.Buffer
		s := console.Streams{Stdin: strings.NewReader(""), Stdout: fullWriter{}, Stderr: &errs}
		code := Run(t.Context(), strings.Fields(args), s)
		if code != 1 || errs.String() != text.ErrorMark+"no space left\n" {
			t.Errorf("%s: exit code %d, %q", args, code, errs.String())
		}
	}
}

func TestVersion(t *testing.T) {
	code, stdout, _ := try(t, "", "version", "--format", "json")
	if code != 0 || !strings.Contains(stdout, `"platform": "`) {
		t.Errorf("exit code %d, %q", code, stdout)
	}
	code, stdout, _ = try(t, "", "version")
	if code != 0 || !strings.HasPrefix(stdout, "oras-mirror ") {
		t.Errorf("exit code %d, %q", code, stdout)
	}
}
