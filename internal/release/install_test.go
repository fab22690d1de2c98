//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
)

// TestMakeInstall installs the program into a folder, and removes it again.
func TestMakeInstall(t *testing.T) {
	tool := skipped.Without(t, "make")
	source, staging := t.TempDir(), filepath.Join(t.TempDir(), "a folder")
	binary := output(t, skipped.Without(t, "tar"), "-xzOf", releasedFile(t, ".tar.gz"), program)
	if err := os.WriteFile(filepath.Join(source, program), []byte(binary), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range append([]string{"Makefile"}, documents...) {
		content, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(source, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(target string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), tool, "-C", source, target, "DESTDIR="+staging, "PREFIX=/usr")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("make %s: %v\n%s", target, err, out)
		}
	}
	run("install")
	var got []string
	for _, path := range filesBelow(t, staging) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if want := (file{program: strings.Contains(path, "/bin/")}).mode(); info.Mode().Perm() != want {
			t.Errorf("%s has the mode %v", path, info.Mode())
		}
		got = append(got, strings.TrimPrefix(path, staging))
	}
	want := "/usr/bin/oras-mirror /usr/share/bash-completion/completions/oras-mirror /usr/share/doc/oras-mirror/CHANGELOG.md " +
		"/usr/share/doc/oras-mirror/LICENSE /usr/share/doc/oras-mirror/README.md /usr/share/fish/vendor_completions.d/oras-mirror.fish " +
		"/usr/share/man/man1/oras-mirror.1 /usr/share/zsh/site-functions/_oras-mirror"
	if strings.Join(got, " ") != want {
		t.Errorf("it has %s,\nwant %s", strings.Join(got, " "), want)
	}
	installed := filepath.Join(staging, "usr/bin/oras-mirror")
	if text := contentOf(t, filepath.Join(staging, "usr/share/man/man1/oras-mirror.1")); text != output(t, installed, "man") {
		t.Errorf("the man page is %.80s", text)
	}
	if text := contentOf(t, filepath.Join(staging, "usr/share/zsh/site-functions/_oras-mirror")); text != output(t, installed, "completion", "zsh") {
		t.Errorf("the completion is %.80s", text)
	}
	run("uninstall")
	if left := filesBelow(t, staging); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}
