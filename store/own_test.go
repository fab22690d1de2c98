package store

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// TestStrangersPartialIsLeftAlone: a file that no backup created is neither written to nor
// removed, and a link is not followed.
func TestStrangersPartialIsLeftAlone(t *testing.T) {
	victim := filepath.Join(t.TempDir(), "victim")
	writeFile(t, victim, []byte("precious"))
	long := []byte(strings.Repeat("a text of another program\n", 100))
	foreign := tarOf(t, "photo.jpg", "x")
	var gzipped bytes.Buffer
	w := gzip.NewWriter(&gzipped)
	if _, err := w.Write(foreign); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	for name, put := range map[string]func(path string) error{
		"a link":         func(path string) error { return os.Symlink(victim, path) },
		"a dangling one": func(path string) error { return os.Symlink(victim+".absent", path) },
		"a text":         func(path string) error { return os.WriteFile(path, long, 0o644) },
		"a short text":   func(path string) error { return os.WriteFile(path, []byte("x"), 0o644) },
		"a gzip file":    func(path string) error { return os.WriteFile(path, gzipped.Bytes(), 0o644) },
		"another tar":    func(path string) error { return os.WriteFile(path, foreign, 0o644) },
		"a folder":       func(path string) error { return os.Mkdir(path, 0o755) },
	} {
		for _, o := range []CreateOptions{{}, {NoResume: true}, {Compression: "none"}} {
			path := filepath.Join(t.TempDir(), "x.tgz")
			if err := put(path + ".partial"); err != nil {
				t.Skip(err)
			}
			before, _ := os.ReadFile(path + ".partial")
			_, err := Create(path, o)
			var stranger *disk.StrangerError
			if err == nil || name != "a folder" && (!errors.As(err, &stranger) || stranger.Path != path+".partial") {
				t.Errorf("%s: %v", name, err)
			}
			if after, _ := os.ReadFile(path + ".partial"); !bytes.Equal(after, before) {
				t.Errorf("%s: it is another one now", name)
			}
			if got := string(readFile(t, victim)); got != "precious" || exists(victim+".absent") {
				t.Fatalf("%s: where the link leads there is %q", name, got)
			}
		}
	}
}

// TestOwnPartialIsTakenUp resumes a file with any number of bytes.
func TestOwnPartialIsTakenUp(t *testing.T) {
	s := newSample(t)
	for _, c := range []bundle.Compression{bundle.Gzip, bundle.None} {
		whole := readFile(t, s.archive(t, "x", c))
		for _, n := range []int{0, 1, 5, 11, 12, 13, 20, 100, 300, 511, 512, 600, 5000} {
			path := filepath.Join(t.TempDir(), "x")
			writeFile(t, path+".partial", whole[:n])
			a := createArchive(t, path, c)
			s.writeArchive(t, a)
			if _, err := a.Commit(false); err != nil || !bytes.Equal(readFile(t, path), whole) {
				t.Errorf("%d bytes: %v", n, err)
			}
		}
	}
}

// TestLinksInTheWayOfADirectory: a link in place of the lock or of an unfinished blob is
// not followed.
func TestLinksInTheWayOfADirectory(t *testing.T) {
	victim := filepath.Join(t.TempDir(), "victim")
	writeFile(t, victim, []byte("precious"))
	s := newSample(t)
	var stranger *disk.StrangerError
	path := filepath.Join(t.TempDir(), "layout")
	if err := errors.Join(os.Mkdir(path, 0o755), os.Symlink(victim, filepath.Join(path, LockFile))); err != nil {
		t.Skip(err)
	}
	if d, err := OpenDir(path); !errors.As(err, &stranger) {
		t.Errorf("a lock: %v, %v", d, err)
	}
	path = s.directory(t)
	d := openDir(t, path)
	blob := newItem("", []byte("a new blob"))
	if err := errors.Join(os.MkdirAll(d.aside(""), 0o755), os.Symlink(victim, d.aside(ingestName(blob.desc.Digest)))); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Ingest(blob.desc); !errors.As(err, &stranger) {
		t.Errorf("a blob on its way: %v", err)
	}
	if got := string(readFile(t, victim)); got != "precious" {
		t.Errorf("where the links lead there is %q", got)
	}
}

// TestStrangersIncompleteIsLeftAlone: a file with the name of an incomplete bundle is not
// replaced.
func TestStrangersIncompleteIsLeftAlone(t *testing.T) {
	s := newSample(t)
	path := s.archive(t, "x.tgz", bundle.Gzip)
	for _, ours := range []bool{false, true} {
		writeFile(t, path+".incomplete", []byte("of another program"))
		if ours {
			writeFile(t, path+".incomplete", readFile(t, path))
		}
		a := createArchive(t, path, bundle.Gzip)
		s.writeArchive(t, a)
		_, err := a.Commit(true)
		if (err == nil) != ours {
			t.Errorf("ours: %v, but %v", ours, err)
		}
		if !ours && (string(readFile(t, path+".incomplete")) != "of another program" || a.Partial() == "") {
			t.Errorf("it is not left alone, or the archive is lost: %v", err)
		}
	}
}

// TestStrangersFileIsNotReplaced: an archive does not get the name of a file that oras-mirror
// did not write.
func TestStrangersFileIsNotReplaced(t *testing.T) {
	s := newSample(t)
	own := readFile(t, s.archive(t, "own.tgz", bundle.Gzip))
	for _, c := range []struct {
		name, content string
		ours          bool
	}{
		{"a text", "precious", false},
		{"another tar", string(tarOf(t, "photo.jpg", "x")), false},
		{"an empty file", "", true},
		{"a bundle", string(own), true},
		{"a truncated bundle", string(own[:100]), true},
	} {
		path := filepath.Join(t.TempDir(), "notes.txt")
		writeFile(t, path, []byte(c.content))
		out, err := Create(path, CreateOptions{})
		if c.ours {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			if err := out.Close(); err != nil {
				t.Error(err)
			}
			continue
		}
		var stranger *disk.StrangerError
		if !errors.As(err, &stranger) || stranger.Path != path {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := string(readFile(t, path)); got != c.content || exists(path+".partial") {
			t.Errorf("%s: it is %q now", c.name, got)
		}
	}
}
