package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFormula checks what Homebrew downloads for each platform, and installs.
func TestFormula(t *testing.T) {
	r := &release{output: t.TempDir(), version: "v1.2.3-rc.1", log: io.Discard}
	for _, platform := range []string{"linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64"} {
		if err := os.WriteFile(filepath.Join(r.output, "oras-mirror_1.2.3-rc.1_"+platform+".tar.gz"), []byte(platform), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.writeFormula(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(r.output, "oras-mirror.rb")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	formula := strings.Join(strings.Fields(string(text)), " ")
	for platform, blocks := range map[string]string{
		"darwin_arm64": "on_macos do on_arm do ", "darwin_amd64": "end on_intel do ",
		"linux_arm64": "end end on_linux do on_arm do ", "linux_amd64": "end on_intel do ",
	} {
		want := fmt.Sprintf("%surl \"https://github.com/oras-mirror/oras-mirror/releases/download/v1.2.3-rc.1/oras-mirror_1.2.3-rc.1_%s.tar.gz\" sha256 \"%x\" end ", blocks, platform, sha256.Sum256([]byte(platform)))
		if !strings.Contains(formula, want) {
			t.Errorf("it lacks %s", want)
		}
	}
	for _, want := range []string{
		`class OrasMirror < Formula`, `version "1.2.3-rc.1"`, `bin.install "oras-mirror"`, `man1.install "oras-mirror.1"`,
		`bash_completion.install "completion/oras-mirror.bash" => "oras-mirror"`, `zsh_completion.install "completion/_oras-mirror"`,
		`fish_completion.install "completion/oras-mirror.fish"`, `assert_match "oras-mirror v1.2.3-rc.1 ", shell_output(`,
	} {
		if !strings.Contains(formula, want) {
			t.Errorf("it lacks %s", want)
		}
	}
	blocks := make(map[string]int)
	for _, word := range strings.Fields(formula) {
		blocks[word]++
	}
	if opened := blocks["do"] + blocks["def"] + blocks["class"]; opened != blocks["end"] || opened != 9 {
		t.Errorf("%d blocks begin, %d end:\n%s", opened, blocks["end"], text)
	}
	if ruby := optional("ruby"); ruby != "" {
		output(t, ruby, "-c", path)
	}
}
