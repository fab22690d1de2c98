package docs

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/alecthomas/kong"
	"golang.org/x/crypto/bcrypt"

	"github.com/oras-mirror/oras-mirror/internal/cli"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/skipped"
	"github.com/oras-mirror/oras-mirror/internal/stories"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// example is a line in the help of a command.
type example struct{ command, line string }

// examples returns all examples in --help.
func examples(t *testing.T) []example {
	t.Helper()
	parser, err := cli.Grammar()
	if err != nil {
		t.Fatal(err)
	}
	var all []example
	for _, command := range parser.Model.Leaves(true) {
		for line := range strings.Lines(command.Detail) {
			if text, ok := strings.CutPrefix(line, "    "); ok {
				all = append(all, example{command.Name, strings.TrimSpace(text)})
			}
		}
	}
	return all
}

// TestEveryCommandHasExamples checks that each command has two examples, that they use the
// command, and that the parser accepts them.
func TestEveryCommandHasExamples(t *testing.T) {
	count := make(map[string]int)
	for _, e := range examples(t) {
		about := false
		for _, args := range stories.CommandLines(unwrapped(e.line)) {
			parses(t, stories.WithoutRedirections(args))
			about = about || args[0] == e.command
		}
		if about {
			count[e.command]++
		}
	}
	for _, command := range leaves(t) {
		if count[command.Name] < 2 {
			t.Errorf("%s has %d examples", command.Name, count[command.Name])
		}
	}
}

func leaves(t *testing.T) []*kong.Node {
	t.Helper()
	parser, err := cli.Grammar()
	if err != nil {
		t.Fatal(err)
	}
	return parser.Model.Leaves(true)
}

// unwrapped extracts a command from a process substitution of bash.
func unwrapped(line string) string {
	if rest, ok := strings.CutPrefix(line, "source <("); ok {
		return strings.Replace(rest, ")", "", 1)
	}
	return line
}

// TestExamplesRun runs all examples, one after the other, in a folder with the files that they
// name. Two registries in this process replace the registries that they name.
func TestExamplesRun(t *testing.T) {
	bash := skipped.Without(t, "bash")
	far, own := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	far.Image("pause", "3.10", []byte("pause"))
	far.Image("pause", "3.9", []byte("older"))
	far.Image("oras-project/oras", "v1.3.0", []byte("oras"))
	far.Image("library/alpine", "3.20", []byte("alpine"))
	hosts := strings.NewReplacer("registry.k8s.io", far.Host, "ghcr.io", far.Host, "docker.io", far.Host,
		"localhost:5000", own.Host, "registry.example.com", own.Host, "registry.corp.example", own.Host,
		"/etc/containerd", "certs.d", "/usr/local/share/man/man1/", "", `"${fpath[1]}/`, `"`, "~/.config/fish/completions/", "")
	dir := t.TempDir()
	spec := fmt.Sprintf("apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources: ['%s/pause', '%s/library/alpine:3.20']\noutput: bundle.tgz\ntargets: [{name: dr, target: '%s/mirror'}]\n",
		far.Host, far.Host, own.Host)
	signed := spec + "policies: [{match: ['unused.example/**'], accept: nothing}]\n"
	for name, text := range map[string]string{"mirror.yaml": spec, "signed.yaml": signed, "images.txt": far.Host + "/pause:3.10\n", "regsync.yml": "sync: []\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	manifest := fmt.Sprintf("kind: Pod\nspec: {containers: [{image: '%s/pause:3.10'}]}\n", far.Host)
	if err := os.Mkdir(filepath.Join(dir, "deploy"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, rendered), []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	writeServed(t, dir)
	shell := func(line string) {
		t.Helper()
		if strings.HasPrefix(line, "oras-mirror serve ") {
			serves(t, dir, line)
			return
		}
		cmd := exec.CommandContext(t.Context(), bash, "-euo", "pipefail", "-c", line)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "HOME="+dir, "GORACE=atexit_sleep_ms=0", "CI=1")
		out, err := cmd.CombinedOutput()
		if failed, ok := err.(*exec.ExitError); ok && failed.ExitCode() == int(exit.Drift) && strings.Contains(line, " diff ") {
			return // that two things differ is what a diff is for
		}
		if err != nil {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
	}
	for _, line := range []string{
		"oras-mirror backup -f mirror.yaml -o monday.tgz", "oras-mirror backup -f mirror.yaml -o tuesday.tgz",
		"oras-mirror backup -f mirror.yaml -o bundle.tgz", "oras-mirror backup -f mirror.yaml -o base.tgz", "oras-mirror backup -f mirror.yaml -o more.tgz", "oras-mirror backup -f mirror.yaml -o ./mirror/",
		"oras-mirror lock -f mirror.yaml", "oras-mirror restore --input bundle.tgz " + own.Host + "/mirror",
	} {
		shell(line)
	}
	for _, e := range examples(t) {
		if strings.Contains(e.line, "--statement bundle.json") { // others have written another bundle.tgz since
			shell("oras-mirror statement --input bundle.tgz >bundle.json")
		}
		if strings.Contains(e.line, "init -o ") {
			shell("rm mirror.yaml && mv mirror.lock.yaml kept.yaml")
		}
		shell(ownPart(hosts.Replace(e.line)))
		if strings.Contains(e.line, "init -o ") {
			if err := os.WriteFile(filepath.Join(dir, "mirror.yaml"), []byte(spec), 0o600); err != nil {
				t.Fatal(err)
			}
			shell("mv kept.yaml mirror.lock.yaml")
		}
	}
}

// writeServed writes what serve needs beside bundles.
func writeServed(t *testing.T, dir string) {
	t.Helper()
	certificate := testregistry.NewCertificate(t)
	hash, err := bcrypt.GenerateFromPassword([]byte("password"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"tls.crt": certificate.Certificate, "tls.key": certificate.Key, "ca.pem": certificate.CA, "users": append([]byte("user:"), hash...)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// serves runs serve on a free port until it listens.
func serves(t *testing.T, dir, line string) {
	t.Helper()
	args := strings.Fields(strings.NewReplacer(" --listen :5000", "", "'", "").Replace(line))
	cmd := exec.CommandContext(t.Context(), args[0], append(args[1:], "--listen", "127.0.0.1:0")...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "GORACE=atexit_sleep_ms=0", "CI=1")
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		if said = append(said, lines.Text()); strings.HasPrefix(lines.Text(), "serving ") {
			_ = cmd.Process.Signal(syscall.SIGTERM)
		}
	}
	if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != 128+int(syscall.SIGTERM) {
		t.Errorf("%s: %v\n%s", line, cmd.ProcessState, strings.Join(said, "\n"))
	}
}

// rendered is the file with the manifests that helm and kustomize print in the examples.
const rendered = "deploy/pod.yaml"

// ownPart removes other programs, which may not be installed, from a pipe.
func ownPart(line string) string {
	command, _, _ := strings.Cut(line, "  #")
	var kept []string
	for _, part := range strings.Split(command, " | ") {
		word := strings.Fields(part)
		switch {
		case len(word) == 0:
		case word[0] == "helm" || word[0] == "kustomize":
			kept = append(kept, "cat "+rendered)
		case word[0] == "oras-mirror" || word[0] == "cat" || word[0] == "source":
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, " | ")
}
