package store

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// what returns the kind of output that Create opened.
func what(d Destination) string {
	switch d := d.(type) {
	case *Dir:
		return "directory"
	case *Archive:
		kind := "file"
		if _, ok := d.medium.(*pipe); ok {
			kind = "stream"
		}
		if d.compression == bundle.None {
			return "plain " + kind
		}
		return kind
	}
	return "nothing"
}

func TestCreate(t *testing.T) {
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	for _, name := range []string{"empty", "empty.tgz", "empty.tar"} {
		if err := os.Mkdir(at(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, at("file"), bundle.TarHead(layoutFile))
	writeFile(t, at("file.tar"), nil)
	os.Symlink("empty", at("link-to-folder"))
	os.Symlink("nowhere.tar", at("link-to-nothing"))
	for _, tt := range []struct{ path, compression, want string }{
		{at("empty"), "", "directory"},
		{at("empty.tgz"), "", "directory"},
		{at("empty.tar"), "", "directory"},
		{at("link-to-folder"), "", "directory"},
		{at("new") + "/", "", "directory"},
		{at("a/b/c") + "/", "", "directory"},
		{at("new.tgz"), "", "file"},
		{at("new.tar"), "", "plain file"},
		{at("new.TAR"), "", "plain file"},
		{at("new.tar.gz"), "", "file"},
		{at("new"), "", "file"},
		{at("a/b/c.zip"), "", "file"},
		{at("file"), "", "file"},
		{at("file.tar"), "", "plain file"},
		{at("file.tar"), "gzip", "file"},
		{at("new.tgz"), "none", "plain file"},
		{at("link-to-nothing"), "", "file"}, // the name that was given decides
		{"-", "", "stream"},
		{"-", "none", "plain stream"},
		{os.DevNull, "", "stream"},
	} {
		d, err := Create(tt.path, CreateOptions{Compression: tt.compression, Stdout: io.Discard})
		if err != nil {
			t.Errorf("%s: %v", tt.path, err)
			continue
		}
		if got := what(d); got != tt.want || filepath.Clean(d.Path()) != filepath.Clean(tt.path) {
			t.Errorf("%s %s: %s at %s, want %s", tt.path, tt.compression, got, d.Path(), tt.want)
		}
		closeAll(t, d)
	}
	if exists(at("a")) || exists(at("new")) {
		t.Errorf("left %q", names(t, folder))
	}
}

func TestCreateErrors(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	writeFile(t, file, []byte("precious"))
	photos := filepath.Join(folder, "photos")
	writeFile(t, filepath.Join(photos, "1.jpg"), []byte("precious"))
	for name, tt := range map[string]struct {
		path, compression string
		want              error
	}{
		"no path":                 {"", "", nil},
		"unknown compression":     {file, "zstd", nil},
		"a file for a folder":     {file + "/", "", nil},
		"below a file":            {file + "/x.tgz", "", nil},
		"a compressed directory":  {folder, "gzip", ErrNoCompression},
		"a directory to be":       {filepath.Join(folder, "new") + "/", "none", ErrNoCompression},
		"a folder of other files": {photos, "", nil},
	} {
		d, err := Create(tt.path, CreateOptions{Compression: tt.compression})
		if err == nil {
			t.Errorf("%s: %s", name, what(d))
			continue
		}
		if d != nil {
			t.Errorf("%s: a destination beside an error", name)
		}
		var output *OutputError
		var other *NotLayoutError
		if !errors.As(err, &output) && !errors.As(err, &other) || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than a line: %q", name, err)
		}
	}
	if got := names(t, folder); len(got) != 2 || string(readFile(t, file)) != "precious" {
		t.Errorf("left %q", got)
	}
}

func TestCreateWithoutRights(t *testing.T) {
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(folder, 0o755)
	if f, err := os.Create(filepath.Join(folder, "probe")); err == nil {
		f.Close()
		t.Skip("this user may write everywhere")
	}
	for _, path := range []string{folder, filepath.Join(folder, "new") + "/", filepath.Join(folder, "x.tgz"), filepath.Join(folder, "a", "x.tgz")} {
		_, err := Create(path, CreateOptions{})
		var output *OutputError
		if !errors.As(err, &output) || output.Path != path || !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestCreateStream(t *testing.T) {
	s := newSample(t)
	var out bytes.Buffer
	d, err := Create("-", CreateOptions{Stdout: &out})
	if err != nil {
		t.Fatal(err)
	}
	a := d.(*Archive)
	s.writeArchive(t, a)
	if _, err := a.Commit(false); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), readFile(t, s.archive(t, "x.tgz", bundle.Gzip))) {
		t.Error("not the bytes of the file")
	}
}
