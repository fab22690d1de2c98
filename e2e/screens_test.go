package e2e

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
)

// The screens of the docs can be taken again, and fit a terminal of 80 columns.
func TestScreens(t *testing.T) {
	shell := skipped.Without(t, "bash")
	skipped.Without(t, "tmux")
	script, err := filepath.Abs("../demo/screens.sh")
	if err != nil {
		t.Fatal(err)
	}
	registry := tool(t, "registry")
	tool(t, "oras")
	d := newDesk(t)
	cmd := d.command(shell, script)
	cmd.Env = append(cmd.Env, "ORAS_MIRROR="+program, "REGISTRY="+registry, "SCREENS="+d.path("screens"), "LAYER=1M", "LC_ALL=C.UTF-8")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	for _, dir := range []string{d.path("screens"), "../docs/screens"} {
		for name, want := range map[string]string{
			"backup":      "$ oras-mirror backup ",
			"backup-done": "\nbacked up 4 artifacts to bundle.tgz: ",
			"restore":     "\nrestored 4 artifacts to localhost:15001/mirror: ",
			"failure":     "\noras-mirror: error: localhost:15000/team/app:9.9: resolve: 404 not found",
		} {
			checkScreen(t, filepath.Join(dir, name+".txt"), want)
		}
		checkXML(t, filepath.Join(dir, "session.svg"))
	}
}

func checkScreen(t *testing.T, path, want string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), want) {
		t.Errorf("%s lacks %q:\n%s", path, want, text)
	}
	for line := range strings.Lines(string(text)) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%s: %d columns: %s", path, n, line)
		}
	}
}

func checkXML(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for decoder := xml.NewDecoder(f); ; {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
}
