package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The demo is the first thing that anybody runs.
func TestDemo(t *testing.T) {
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Skip(err)
	}
	tool(t, "registry")
	tool(t, "oras")
	script, err := filepath.Abs(filepath.Join("..", "demo", "demo.sh"))
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t)
	cmd := d.command(shell, script)
	cmd.Env = append(cmd.Env, "ORAS_MIRROR="+program, "DEMO_WORK="+d.path("work"))
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	for _, want := range []string{
		"mirror/helm/app\nmirror/platform/app\nmirror/platform/notes\n", // oras repo ls
		"/mirror/helm/app\nstable\n",                                    // oras repo tags
		"application/vnd.example.signature",                             // oras discover
	} {
		if !strings.Contains(string(output), want) {
			t.Errorf("the demo does not show %q:\n%s", want, output)
		}
	}
}
