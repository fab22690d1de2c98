package e2e

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
)

var update = flag.Bool("update", false, "write what the demo prints into README.md")

// The demo is the first thing that anybody runs, and what README shows.
func TestDemo(t *testing.T) {
	shell := skipped.Without(t, "bash")
	tool(t, "oras")
	script, err := filepath.Abs(filepath.Join("..", "demo", "demo.sh"))
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t)
	registry := d.path("registry" + executable)
	build := exec.CommandContext(t.Context(), "go", "build", "-o", registry, "../demo/registry")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	cmd := d.command(shell, script)
	cmd.Env = append(cmd.Env, "ORAS_MIRROR="+program, "REGISTRY="+registry, "DEMO_WORK="+d.path("work"))
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	got := "$ make demo\n" + withoutPorts(t, string(output))
	for _, want := range []string{
		"mirror/helm/app\nmirror/platform/app\nmirror/platform/notes\n", // oras repo ls
		"/mirror/helm/app\nstable\n",                                    // oras repo tags
		"application/vnd.example.signature",                             // oras discover
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the demo does not show %q:\n%s", want, got)
		}
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		readme = session.ReplaceAllLiteral(readme, []byte("```console\n"+got+"```\n"))
		if err := os.WriteFile("../README.md", readme, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	shown := session.FindSubmatch(readme)
	if shown == nil {
		t.Fatal("README.md shows no session")
	}
	if got, want := settled(got), settled(string(shown[1])); got != want {
		t.Errorf("the demo prints\n%s\nREADME.md shows\n%s\n(go test ./e2e -run TestDemo -update writes it)", got, want)
	}
}

var (
	session  = regexp.MustCompile("(?ms)^```console\n(\\$ make demo\n.*?)^```\n")
	ports    = regexp.MustCompile(`registry, localhost:(\d+),`)
	duration = regexp.MustCompile(`(?m), [0-9.]+ m?s$`)
	blanks   = regexp.MustCompile(`(?m) +$`)
	copied   = regexp.MustCompile(`^\S+:.* \([0-9.]+ \w+\)$`)
)

// withoutPorts puts the ports of demo/mirror.yaml in the place of those that were free.
// They are as long, so that columns stay.
func withoutPorts(t *testing.T, output string) string {
	t.Helper()
	found := ports.FindAllStringSubmatch(output, -1)
	if len(found) != 2 || len(found[0][1]) != 5 || len(found[1][1]) != 5 {
		t.Fatalf("the demo has the ports %v", found)
	}
	output = strings.NewReplacer(found[0][1], "15000", found[1][1], "15001").Replace(output)
	return strings.TrimLeft(blanks.ReplaceAllString(output, ""), "\n")
}

// settled takes out of a session what is another time each time: how long it took, and the
// order in which artifacts were done.
func settled(text string) string {
	lines := strings.Split(duration.ReplaceAllString(text, ", … s"), "\n")
	for begin := 0; begin < len(lines); begin++ {
		end := begin
		for end < len(lines) && copied.MatchString(lines[end]) {
			end++
		}
		slices.Sort(lines[begin:end])
		begin = max(begin, end-1)
	}
	return strings.Join(lines, "\n")
}
