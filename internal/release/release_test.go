package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

var commit = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// TestTwiceTheSame builds the same release from two copies of the source in two folders.
func TestTwiceTheSame(t *testing.T) {
	first, second := released(t), filepath.Join(t.TempDir(), "dist")
	if err := runRelease(t, second); err != nil {
		t.Fatal(err)
	}
	var sums [2]string
	for i, dir := range []string{first, second} {
		text, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
		if err != nil {
			t.Fatal(err)
		}
		sums[i] = string(text)
	}
	if sums[0] != sums[1] {
		t.Errorf("the first is\n%s\nthe second\n%s", sums[0], sums[1])
	}
	want := 3 // notes, SBOM, archive
	if runtime.GOOS != "windows" {
		want++ // formula
	}
	if runtime.GOOS == "linux" && installedNFPM() != "" {
		want += len(packagers)
	}
	if lines := strings.Count(sums[0], "\n"); lines != want {
		t.Errorf("%d files, want %d:\n%s", lines, want, sums[0])
	}
	checkProgram(t, checkArchive(t, first))
	if sha256sum := optional("sha256sum"); sha256sum != "" {
		cmd := exec.CommandContext(t.Context(), sha256sum, "-c", "SHA256SUMS")
		cmd.Dir = first
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// TestFaultsAreFoundFirst checks that a release which cannot end leaves the last one alone.
func TestFaultsAreFoundFirst(t *testing.T) {
	for want, change := range map[string]func(*release){
		"the key that signs: ":                func(r *release) { r.key = filepath.Join(t.TempDir(), "no-key") },
		"the program that makes packages: ":   func(r *release) { r.nfpm = filepath.Join(t.TempDir(), "no-nfpm") },
		`no version for the prerelease "x.1"`: func(r *release) { r.version, r.nfpm = "v1.2.3-x.1", "nfpm" },
		`CHANGELOG.md has no section "9.0.0"`: func(r *release) { r.version = "v9.0.0" },
		`invalid version "latest"`:            func(r *release) { r.version = "latest" },
	} {
		r := &release{source: "../..", output: t.TempDir(), version: "v1.2.3-rc.1", time: commit, log: io.Discard}
		change(r)
		last := filepath.Join(r.output, "last")
		if err := os.WriteFile(last, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := r.run(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		if _, err := os.Stat(last); err != nil {
			t.Error(err)
		}
	}
}

func TestOnlyAReleaseIsRemoved(t *testing.T) {
	file := func(path string) {
		t.Helper()
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := &release{output: t.TempDir()}
	kept := filepath.Join(r.output, "kept")
	file(kept)
	if err := r.removeLast(); err == nil || !strings.Contains(err.Error(), "holds no release") {
		t.Errorf("another folder: %v", err)
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
	file(filepath.Join(r.output, "oras-mirror_1.2.3_notes.md"))
	if err := r.removeLast(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(r.output); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the last release: %v", err)
	}
	for _, name := range []string{"", "new"} {
		r.output = filepath.Join(t.TempDir(), name)
		if err := r.removeLast(); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// optional returns the path of a program, "" if it is not installed.
func optional(name string) string {
	path, err := exec.LookPath(name)
	if err != nil {
		return ""
	}
	return path
}

// copyOf copies the source to another folder, where the changelog has the version 1.2.3.
func copyOf(t *testing.T, root string) string {
	t.Helper()
	dir := t.TempDir()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		if entry.IsDir() {
			if name != "." && strings.HasPrefix(name, ".") || entry.Name() == "testdata" {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(dir, name), 0o755)
		}
		if info, err := entry.Info(); err != nil || !info.Mode().IsRegular() || info.Size() > 4<<20 {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if name == "CHANGELOG.md" {
			content = bytes.Replace(content, []byte("\n## Unreleased\n"), []byte("\n## 1.2.3 - 2026-11-30\n"), 1)
		}
		return os.WriteFile(filepath.Join(dir, name), content, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// checkArchive checks the files of an archive, and returns the program in it.
func checkArchive(t *testing.T, dir string) (program []byte) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.tar.gz"))
	if err != nil || len(found) != 1 {
		t.Skipf("no tar.gz: %v", found)
	}
	f, err := os.Open(found[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for r := tar.NewReader(z); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, header.Name)
		if header.Name == "oras-mirror" {
			if program, err = io.ReadAll(r); err != nil || header.Mode != 0o755 {
				t.Errorf("%v, mode %o", err, header.Mode)
			}
		}
		if !header.ModTime.Equal(commit) || header.Uid != 0 || header.Uname != "" {
			t.Errorf("%+v", header)
		}
	}
	want := "oras-mirror LICENSE README.md CHANGELOG.md oras-mirror.1 completion/oras-mirror.bash completion/_oras-mirror completion/oras-mirror.fish THIRD-PARTY-LICENSES.txt"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("it has %s, want %s", got, want)
	}
	return program
}

// checkProgram runs the program of a release and checks how it was built.
func checkProgram(t *testing.T, program []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), executable("oras-mirror", runtime.GOOS))
	if err := os.WriteFile(path, program, 0o700); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), path, "version").Output()
	if err != nil || !strings.HasPrefix(string(out), "oras-mirror v1.2.3 (") {
		t.Errorf("%v: it is %s", err, out)
	}
	checkStatic(t, program)
}

// checkStatic checks that a program depends on nothing of the machine that runs it, and
// contains nothing of the one that built it.
func checkStatic(t *testing.T, program []byte) {
	t.Helper()
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	settings := make(map[string]string)
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if settings["CGO_ENABLED"] != "0" || settings["-trimpath"] != "true" {
		t.Errorf("it was built with %v", settings)
	}
	if file, err := elf.NewFile(bytes.NewReader(program)); err == nil {
		libraries, _ := file.ImportedLibraries()
		for _, p := range file.Progs {
			if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC || len(libraries) > 0 {
				t.Errorf("it is not static: %v, %v", p.Type, libraries)
			}
		}
	}
	if folder, err := filepath.Abs("../.."); err == nil && bytes.Contains(program, []byte(folder)) {
		t.Errorf("it has %s in it", folder)
	}
}

// TestProgramIsStatic checks a build without C, as by "make" and "go install".
func TestProgramIsStatic(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	r := release{source: "../..", version: "v0.0.1"}
	program, err := r.build("linux", "amd64")
	if err != nil {
		t.Fatal(err)
	}
	checkStatic(t, program)
}

func TestArchivesDoNotDependOnTheDay(t *testing.T) {
	files := []file{{name: "a", content: []byte("a"), program: true}, {name: "b/c", content: []byte("c")}}
	for name, pack := range map[string]func([]file, time.Time) ([]byte, error){"tar.gz": tarGzip, "zip": zipped} {
		one, err := pack(files, commit)
		if err != nil {
			t.Fatal(err)
		}
		two, err := pack(files, commit.In(time.FixedZone("elsewhere", 3600)).UTC())
		if err != nil || !bytes.Equal(one, two) {
			t.Errorf("%s: %v, or other bytes", name, err)
		}
		if _, err := pack(files, time.Unix(0, 0).UTC()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSBOMNamesEveryModule(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	text, err := sbom("oras-mirror_1.2.3_here", "v1.2.3", binary, commit)
	if err != nil {
		t.Fatal(err)
	}
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	if d.Version != "SPDX-2.3" || d.Creation.Created != "2026-01-31T12:00:00Z" || len(d.Packages) < 2 || len(d.Relationships) != len(d.Packages) {
		t.Errorf("%s", text)
	}
	ids := make(map[string]bool)
	for _, p := range d.Packages {
		if ids[p.ID] || p.Name == "" || len(p.External) != 1 {
			t.Errorf("%+v", p)
		}
		ids[p.ID] = true
		checkPackage(t, p)
	}
	last := d.Packages[len(d.Packages)-1]
	if want := strings.TrimPrefix(strings.Fields(runtime.Version())[0], "go"); last.Name != "stdlib" || last.Version != want {
		t.Errorf("the standard library is %+v", last)
	}
	for _, r := range d.Relationships {
		if !ids[r.Related] {
			t.Errorf("%+v leads nowhere", r)
		}
	}
}

var (
	spdxID  = regexp.MustCompile(`^SPDXRef-[a-zA-Z0-9.-]+$`)
	purlOf  = regexp.MustCompile(`^pkg:golang/[a-z0-9./_~-]+@[a-zA-Z0-9.%-]+$`)
	hexSums = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// checkPackage checks a package by the rules of SPDX 2.3 (clause 7), and its purl by those
// for Go modules.
func checkPackage(t *testing.T, p spdxPackage) {
	t.Helper()
	if !spdxID.MatchString(p.ID) || p.Location == "" || p.Concluded == "" || p.Declared == "" || p.Copyright == "" || p.Analyzed {
		t.Errorf("%+v", p)
	}
	if e := p.External[0]; e.Category != "PACKAGE-MANAGER" || e.Type != "purl" || !purlOf.MatchString(e.Locator) {
		t.Errorf("%+v", e)
	}
	for _, c := range p.Checksums {
		if c.Algorithm != "SHA256" || !hexSums.MatchString(c.Value) {
			t.Errorf("%+v", c)
		}
	}
}

func TestPURL(t *testing.T) {
	for _, test := range []struct{ path, version, want string }{
		{"github.com/Masterminds/semver/v3", "v3.5.0", "pkg:golang/github.com/masterminds/semver/v3@v3.5.0"},
		{"example.com/old", "v2.0.0+incompatible", "pkg:golang/example.com/old@v2.0.0%2Bincompatible"},
		{"stdlib", "1.26.0", "pkg:golang/stdlib@1.26.0"},
	} {
		if got := purl(test.path, test.version); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
}
