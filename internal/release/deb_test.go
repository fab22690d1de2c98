//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
)

// TestInstalledFromTheDeb installs the deb into a folder with dpkg, uses what is there, and
// removes it.
func TestInstalledFromTheDeb(t *testing.T) {
	needNFPM(t)
	d := newDpkg(t)
	d.run("--install", releasedFile(t, ".deb"))
	if state := d.run("--status", program); !strings.Contains(state, "Status: install ok installed") || !strings.Contains(state, "Version: 1.2.3-1\n") {
		t.Errorf("dpkg says\n%s", state)
	}
	binary := filepath.Join(d.root, "usr/bin/oras-mirror")
	if out := output(t, binary, "version"); !strings.HasPrefix(out, "oras-mirror v1.2.3 (") {
		t.Errorf("the program says %s", out)
	}
	listed := strings.Fields(d.run("--listfiles", program))
	for _, test := range []struct{ path, want string }{
		{"/usr/share/man/man1/oras-mirror.1.gz", output(t, binary, "man")},
		{"/usr/share/bash-completion/completions/oras-mirror", output(t, binary, "completion", "bash")},
		{"/usr/share/zsh/vendor-completions/_oras-mirror", output(t, binary, "completion", "zsh")},
		{"/usr/share/fish/vendor_completions.d/oras-mirror.fish", output(t, binary, "completion", "fish")},
	} {
		if got := contentOf(t, filepath.Join(d.root, test.path)); got != test.want || !slices.Contains(listed, test.path) {
			t.Errorf("%s is not what the program prints, or dpkg does not list it", test.path)
		}
	}
	changelog := contentOf(t, filepath.Join(d.root, docs, "changelog.Debian.gz"))
	if !strings.HasPrefix(changelog, "oras-mirror (1.2.3-1) ") || !strings.Contains(changelog, "  Sat, 31 Jan 2026 12:00:00 +0000\n") {
		t.Errorf("the changelog for Debian is %s", changelog)
	}
	libraries := contentOf(t, filepath.Join(d.root, docs, licensesName+".gz"))
	for _, want := range []string{"---- github.com/alecthomas/kong v", "---- Go, the standard library: LICENSE"} {
		if !strings.Contains(libraries, want) {
			t.Errorf("the licenses lack %s", want)
		}
	}
	d.run("--purge", program)
	if left := filesBelow(t, filepath.Join(d.root, "usr")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// dpkg installs into a folder with a database of its own.
type dpkg struct {
	t       *testing.T
	root    string
	command []string
}

func newDpkg(t *testing.T) *dpkg {
	path := skipped.Without(t, "dpkg")
	d := &dpkg{t: t, root: t.TempDir()}
	if os.Getuid() != 0 {
		d.command = []string{skipped.Without(t, "fakeroot")} // files get the owner root
	}
	d.command = append(d.command, path, "--root="+d.root, "--log="+os.DevNull, "--force-not-root", "--force-bad-path")
	for _, dir := range []string{"info", "updates", "triggers", "alternatives"} {
		if err := os.MkdirAll(filepath.Join(d.root, "var/lib/dpkg", dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"status", "available"} {
		if err := os.WriteFile(filepath.Join(d.root, "var/lib/dpkg", name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func (d *dpkg) run(args ...string) string {
	d.t.Helper()
	cmd := exec.CommandContext(d.t.Context(), d.command[0], append(slices.Clone(d.command[1:]), args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		d.t.Fatalf("dpkg %q: %v\n%s", args, err, out)
	}
	return string(out)
}
