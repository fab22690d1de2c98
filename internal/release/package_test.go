package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
)

// archived are the files of an archive, with little in them.
func archived() []file {
	all := []file{{name: program, content: []byte("#!/bin/sh\n"), program: true}}
	for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md", "oras-mirror.1", "completion/oras-mirror.bash", "completion/_oras-mirror", "completion/oras-mirror.fish", licensesName} {
		all = append(all, file{name: name, content: []byte(name + "\n")})
	}
	return all
}

// packaged makes the packages of a version for linux/arm64 and returns the path of one.
func packaged(t *testing.T, version, packager string) string {
	t.Helper()
	r := &release{output: t.TempDir(), version: version, time: commit, nfpm: needNFPM(t), log: io.Discard}
	if err := r.writePackages("arm64", archived()); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(r.output, "oras-mirror_"+strings.TrimPrefix(version, "v")+"_linux_arm64."+packager)
}

// TestPackages reads packages with the tools of their systems.
func TestPackages(t *testing.T) {
	const common = "/usr/bin/oras-mirror /usr/share/bash-completion/completions/oras-mirror "
	for _, test := range []struct {
		packager, tool   string
		read             func(t *testing.T, tool, path string) (about, files string)
		release, between string
		files            string
	}{
		{"deb", "dpkg-deb", readDeb, "oras-mirror 1.2.3~rc.1-1 arm64", "oras-mirror 1.2.3+5.gabc1234-1 arm64", common +
			"/usr/share/doc/oras-mirror/README.md /usr/share/doc/oras-mirror/THIRD-PARTY-LICENSES.txt.gz /usr/share/doc/oras-mirror/changelog.Debian.gz " +
			"/usr/share/doc/oras-mirror/changelog.gz /usr/share/doc/oras-mirror/copyright /usr/share/fish/vendor_completions.d/oras-mirror.fish " +
			"/usr/share/man/man1/oras-mirror.1.gz /usr/share/zsh/vendor-completions/_oras-mirror"},
		{"rpm", "rpm", readRPM, "oras-mirror 1.2.3~rc.1-1 aarch64 localhost", "oras-mirror 1.2.3+5.gabc1234-1 aarch64 localhost", strings.NewReplacer(
			"/usr/share/doc/oras-mirror/C", "/usr/share/doc/oras-mirror /usr/share/doc/oras-mirror/C",
			"/usr/share/licenses/oras-mirror/L", "/usr/share/licenses/oras-mirror /usr/share/licenses/oras-mirror/L").Replace(common + elsewhere)},
		{"apk", "tar", readAPK, "oras-mirror 1.2.3_rc1-r1 aarch64", "oras-mirror 1.2.3_p5-r1 aarch64", common + elsewhere},
	} {
		t.Run(test.packager, func(t *testing.T) {
			tool := skipped.Without(t, test.tool)
			about, files := test.read(t, tool, packaged(t, "v1.2.3-rc.1", test.packager))
			if about != test.release || files != test.files {
				t.Errorf("it is %s\nwith %s,\nwant %s\nwith %s", about, files, test.release, test.files)
			}
			if about, _ := test.read(t, tool, packaged(t, "v1.2.3-5-gabc1234", test.packager)); about != test.between {
				t.Errorf("it is %s, want %s", about, test.between)
			}
		})
	}
}

const elsewhere = "/usr/share/doc/oras-mirror/CHANGELOG.md /usr/share/doc/oras-mirror/README.md /usr/share/fish/vendor_completions.d/oras-mirror.fish " +
	"/usr/share/licenses/oras-mirror/LICENSE /usr/share/licenses/oras-mirror/THIRD-PARTY-LICENSES.txt " +
	"/usr/share/man/man1/oras-mirror.1.gz /usr/share/zsh/site-functions/_oras-mirror"

// readDeb returns the name, the version and the architecture of a deb, and its files.
func readDeb(t *testing.T, tool, path string) (about, files string) {
	about = output(t, tool, "--showformat=${Package} ${Version} ${Architecture}", "--show", path)
	var all []string
	for line := range strings.Lines(output(t, tool, "--contents", path)) {
		fields := strings.Fields(line)
		if mode := fields[0]; mode[0] == '-' {
			all = append(all, strings.TrimPrefix(fields[5], "."))
		}
		if fields[1] != "root/root" || fields[3] != "2026-01-31" {
			t.Errorf("%s", line)
		}
	}
	return about, strings.Join(all, " ")
}

func readRPM(t *testing.T, tool, path string) (about, files string) {
	about = output(t, tool, "-qp", "--qf", "%{NAME} %{VERSION}-%{RELEASE} %{ARCH} %{BUILDHOST}", path)
	if out := output(t, tool, "-K", path); !strings.Contains(out, "digests OK") {
		t.Error(out)
	}
	if out := output(t, tool, "-qp", "--licensefiles", path); !strings.Contains(out, "/LICENSE") {
		t.Errorf("its licenses are %q", out)
	}
	return about, strings.Join(strings.Fields(output(t, tool, "-qlp", path)), " ")
}

func readAPK(t *testing.T, tool, path string) (about, files string) {
	fields := make(map[string]string)
	for line := range strings.Lines(output(t, tool, "-xzOf", path, ".PKGINFO")) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " = ")
		if !ok && !strings.HasPrefix(line, "#") {
			t.Errorf("invalid line %q", line)
		}
		fields[name] = value
	}
	var all []string
	for _, name := range strings.Fields(output(t, tool, "-tzf", path)) {
		if !strings.HasSuffix(name, "/") && name != ".PKGINFO" {
			all = append(all, "/"+name)
		}
	}
	return fields["pkgname"] + " " + fields["pkgver"] + " " + fields["arch"], strings.Join(all, " ")
}

// TestPackagesAreTheSame makes packages twice.
func TestPackagesAreTheSame(t *testing.T) {
	needNFPM(t)
	for _, packager := range packagers {
		var contents [2]string
		for i := range contents {
			content, err := os.ReadFile(packaged(t, "v1.2.3", packager))
			if err != nil {
				t.Fatal(err)
			}
			contents[i] = string(content)
		}
		if contents[0] != contents[1] {
			t.Errorf("two packages for %s differ", packager)
		}
	}
}
