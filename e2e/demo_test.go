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

var update = flag.Bool("update", false, "write what the demo prints into docs/pictures")

// TestDemo runs the demo and checks the session in docs/pictures against it: each command
// there prints what it prints in the demo.
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
	got := withoutPorts(t, string(output))
	for _, want := range []string{
		"mirror/helm/app\nmirror/platform/app\nmirror/platform/notes\n", // oras repo ls
		"/mirror/helm/app\nstable\n",                                    // oras repo tags
		"application/vnd.example.signature",                             // oras discover
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the demo does not show %q:\n%s", want, got)
		}
	}
	want := readSession(t)
	printed := settled(excerpt(t, got, want))
	if *update {
		for path, text := range map[string]string{sessionText: printed, sessionPicture: pictureOf(printed)} {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	if printed != want {
		t.Errorf("the demo prints\n%s\n%s has\n%s\n(make session writes it)", printed, sessionText, want)
	}
}

// excerpt returns the steps of a session whose commands another session has.
func excerpt(t *testing.T, session, wanted string) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(wanted) {
		if !strings.HasPrefix(line, "$ ") {
			continue
		}
		_, step, ok := strings.Cut(session, line)
		if !ok {
			t.Errorf("the demo does not run %s", line)
		}
		if end := stepEnd.FindStringIndex(step); end != nil {
			step = step[:end[0]]
		}
		b.WriteString(line + step)
	}
	return b.String()
}

var (
	stepEnd  = regexp.MustCompile(`(?m)^(\$ .*)?$`) // the next command, or an empty line
	ports    = regexp.MustCompile(`registry, localhost:(\d+),`)
	duration = regexp.MustCompile(`(?m), [0-9.]+ m?s$`)
	blanks   = regexp.MustCompile(`(?m) +$`)
	copied   = regexp.MustCompile(`^\S+:.* \([0-9.]+ \w+\)$`)
)

// withoutPorts replaces the ports of the demo by those of demo/mirror.yaml, which are as
// long, so that columns stay aligned.
func withoutPorts(t *testing.T, output string) string {
	t.Helper()
	found := ports.FindAllStringSubmatch(output, -1)
	if len(found) != 2 || len(found[0][1]) != 5 || len(found[1][1]) != 5 {
		t.Fatalf("the demo has the ports %v", found)
	}
	output = strings.NewReplacer(found[0][1], "15000", found[1][1], "15001").Replace(output)
	return strings.TrimLeft(blanks.ReplaceAllString(output, ""), "\n")
}

// settled removes from a session the parts that change from run to run: durations, and the
// order in which artifacts finish.
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
