package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

var commit = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// TestTwiceTheSame builds a release from two copies of the source in two folders.
func TestTwiceTheSame(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	platforms := []string{runtime.GOOS + "/" + runtime.GOARCH}
	first := copyOf(t, "../..")
	sources := [2]string{first, copyOf(t, first)}
	var sums [2][]byte
	var outputs [2]string
	for i := range sums {
		outputs[i] = filepath.Join(t.TempDir(), "dist")
		r := release{source: sources[i], output: outputs[i], version: "v1.2.3", time: commit, platforms: platforms}
		if err := r.run(); err != nil {
			t.Fatal(err)
		}
		var err error
		if sums[i], err = os.ReadFile(filepath.Join(outputs[i], "SHA256SUMS")); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(sums[0], sums[1]) {
		t.Errorf("the first is\n%s\nthe second\n%s", sums[0], sums[1])
	}
	if lines := bytes.Count(sums[0], []byte("\n")); lines != 2 {
		t.Errorf("%d files:\n%s", lines, sums[0])
	}
	checkArchive(t, outputs[0])
	if sha256sum, err := exec.LookPath("sha256sum"); err == nil {
		cmd := exec.CommandContext(t.Context(), sha256sum, "-c", "SHA256SUMS")
		cmd.Dir = outputs[0]
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// copyOf copies what is built, into a folder of another name.
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
		return os.WriteFile(filepath.Join(dir, name), content, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func checkArchive(t *testing.T, dir string) {
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
		if !header.ModTime.Equal(commit) || header.Uid != 0 || header.Uname != "" {
			t.Errorf("%+v", header)
		}
	}
	want := "oras-mirror LICENSE README.md CHANGELOG.md oras-mirror.1 completion/oras-mirror.bash completion/_oras-mirror completion/oras-mirror.fish"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("it has %s, want %s", got, want)
	}
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
