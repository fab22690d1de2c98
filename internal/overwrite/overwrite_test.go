package overwrite

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/filetype"
)

// TestNothingInUseIsReplaced names files in use by other paths.
func TestNothingInUseIsReplaced(t *testing.T) {
	t.Chdir(t.TempDir())
	for path, text := range map[string]string{"layout/oci-layout": "{}", "layout/index.json": "{}", "layout/blobs/sha256/ab": "", "in.tgz": "x"} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"link": "in.tgz", "folder": "layout", "dangling": "new.tgz", "twice": "dangling", "round": "round"} {
		if err := os.Symlink(to, link); err != nil {
			t.Skip(err)
		}
	}
	if err := os.Link("in.tgz", "hard"); err != nil {
		t.Skip(err)
	}
	if err := os.Link("layout/index.json", "index"); err != nil {
		t.Skip(err)
	}
	absolute, err := filepath.Abs("in.tgz")
	if err != nil {
		t.Fatal(err)
	}
	used := append(LayoutFiles("the input", "in.tgz"), LayoutFiles("the output", "layout")...)
	used = append(used, LayoutFiles("another", "new.tgz")...)
	for path, want := range map[string]string{
		"in.tgz": "the input", "./layout/../in.tgz": "the input", absolute: "the input", "link": "the input", "hard": "the input",
		"in.tgz.partial": "the input", "new.tgz": "another", "dangling": "another", "twice": "another", "folder/../new.tgz": "another",
		"layout/index.json": "the output", "folder/index.json": "the output", "index": "the output",
		"layout/blobs/sha256/ab": "part of an OCI layout", "folder/blobs/new": "part of an OCI layout",
		"layout/report.json": "", "other.tgz": "", "round": "", os.DevNull: "", "": "",
	} {
		err := Check("--report", path, filetype.Report, used)
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasSuffix(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}
