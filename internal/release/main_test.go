package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
)

// TestMain counts the tests that were skipped and removes the release that tests share.
func TestMain(m *testing.M) {
	code := m.Run()
	if err := skipped.Report(os.Stderr, "internal/release"); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if shared.dir != "" {
		if err := os.RemoveAll(shared.dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(code)
}

// shared is a release of v1.2.3 for this platform, which several tests read.
var shared struct {
	sync.Once
	dir string
	err error
}

// released returns the folder of the shared release. It has packages if nfpm is installed.
func released(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the program")
	}
	shared.Do(func() {
		if shared.dir, shared.err = os.MkdirTemp("", "release-"); shared.err != nil {
			return
		}
		shared.err = runRelease(t, filepath.Join(shared.dir, "dist"))
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return filepath.Join(shared.dir, "dist")
}

// runRelease builds a release of v1.2.3 for this platform from a copy of the source. It runs
// the program as "make release" does: with the race detector, gzip takes ten times as long.
func runRelease(t *testing.T, output string) error {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "run", ".", "-source", copyOf(t, "../.."), "-output", output, "-version", "v1.2.3",
		"-time", strconv.FormatInt(commit.Unix(), 10), "-platforms", runtime.GOOS+"/"+runtime.GOARCH, "-nfpm", installedNFPM())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// installedNFPM returns the path of nfpm in .tools, "" if it is not there.
func installedNFPM() string {
	path, err := filepath.Abs("../../.tools/nfpm")
	if err != nil {
		return ""
	}
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// needNFPM returns the path of nfpm, or skips the test.
func needNFPM(t *testing.T) string {
	t.Helper()
	path := installedNFPM()
	if path == "" {
		skipped.Test(t, "nfpm", "make tools installs nfpm")
	}
	return path
}

// releasedFile returns the path of the only file of the shared release with an ending.
func releasedFile(t *testing.T, ending string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(released(t), "*"+ending))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %v, %v", ending, found, err)
	}
	return found[0]
}

// output runs a program and returns its standard output.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s%s", name, args, err, out, stderr.String())
	}
	return string(out)
}

// contentOf returns the content of a file, decompressed if its name says so.
func contentOf(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// filesBelow lists the files below a folder, which need not exist.
func filesBelow(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err == nil && !entry.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
