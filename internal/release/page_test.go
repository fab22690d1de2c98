package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
)

// installPage returns the text of docs/install.md.
func installPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/install.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestInstallPageNamesTheFiles checks that a release has the files that the page names.
func TestInstallPageNamesTheFiles(t *testing.T) {
	var endings []string
	for _, m := range regexp.MustCompile(`oras-mirror_0\.1\.0_linux_amd64\.([a-z.]+)`).FindAllStringSubmatch(installPage(t), -1) {
		endings = append(endings, m[1])
	}
	if want := append(slices.Clone(packagers), "tar.gz"); !slices.Equal(endings, want) {
		t.Errorf("it names %v, want %v", endings, want)
	}
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"BINDIR", "MANDIR", "BASHDIR", "ZSHDIR", "FISHDIR", "DOCDIR", "PREFIX"} {
		if !regexp.MustCompile(`(?m)^` + name + ` +\?= `).Match(makefile) {
			t.Errorf("the Makefile has no variable %s", name)
		}
	}
}

// TestInstallPageVerifies types the commands of the page that verify a download.
func TestInstallPageVerifies(t *testing.T) {
	bash, keygen := skipped.Without(t, "bash"), skipped.Without(t, "ssh-keygen")
	skipped.Without(t, "sha256sum")
	_, section, _ := strings.Cut(installPage(t), "\n## Verify a download\n")
	_, script, _ := strings.Cut(section, "```sh\n")
	script, _, _ = strings.Cut(script, "```\n")
	dir, keys := t.TempDir(), t.TempDir()
	output(t, keygen, "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(keys, "key"))
	if err := os.WriteFile(filepath.Join(dir, "oras-mirror_0.1.0_linux_amd64.deb"), []byte("package"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := writeSums(dir); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	r := &release{output: dir, key: filepath.Join(keys, "key"), log: &log}
	if err := r.sign(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(keys, "key.pub"), filepath.Join(dir, "oras-mirror.pub")); err != nil {
		t.Fatal(err)
	}
	verify := func() (string, error) {
		cmd := exec.CommandContext(t.Context(), bash, "-ec", script)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := verify(); err != nil || !strings.Contains(out, `Good "file" signature for oras-mirror`) || !strings.Contains(out, "linux_amd64.deb: OK") {
		t.Errorf("%v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "oras-mirror_0.1.0_linux_amd64.deb"), []byte("another"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := verify(); err == nil {
		t.Errorf("a changed package passes:\n%s", out)
	}
}
