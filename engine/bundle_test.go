package engine_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// TestSameLayout: what tar makes of a bundle is the layout that the directory
// output gives, byte for byte.
func TestSameLayout(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	repos := selections(t, fill(r)...)
	path := t.TempDir()
	backUp(t, path+"/layout/", repos)
	backUp(t, path+"/bundle.tgz", repos)
	backUp(t, path+"/bundle.tar", repos)
	directory := folder(t, path+"/layout")
	for _, name := range []string{"bundle.tgz", "bundle.tar"} {
		packed := unpack(t, filepath.Join(path, name))
		for file, data := range directory {
			if !bytes.Equal(packed[file], data) {
				t.Errorf("%s: %s has %d bytes, want %d", name, file, len(packed[file]), len(data))
			}
		}
		for file := range packed {
			if _, ok := directory[file]; !ok {
				t.Errorf("%s: %s is not in the directory", name, file)
			}
		}
	}
}

// folder reads all files but the lock.
func folder(t *testing.T, path string) map[string][]byte {
	t.Helper()
	files := make(map[string][]byte)
	err := filepath.WalkDir(path, func(file string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == store.LockFile {
			return err
		}
		name, err := filepath.Rel(path, file)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(name)], err = os.ReadFile(file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func unpack(t *testing.T, path string) map[string][]byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	source := io.Reader(f)
	if filepath.Ext(path) == ".tgz" {
		if source, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	files := make(map[string][]byte)
	for r := tar.NewReader(source); ; {
		h, err := r.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCorruptInput damages one blob of two artifacts: the damage is named, the
// artifact that needs the blob gets no tag, and the other one arrives.
func TestCorruptInput(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	bad := append([]byte("BZh"), testregistry.Random("bad", 3000)...) // stored, so that the damage is easy to do
	r.Image("app", "bad", bad)
	r.Image("app", "good", []byte("good"))
	dir := t.TempDir()
	for _, out := range outputs {
		backUp(t, dir+"/"+out, selections(t, r.Host+"/app"))
	}
	blob := filepath.Join(dir, "layout", "blobs", "sha256", digest.FromBytes(bad).Encoded())
	damage(t, blob, bad[100:120])
	damage(t, filepath.Join(dir, "bundle.tgz"), bad[100:120])
	damage(t, filepath.Join(dir, "bundle.tar"), bad[100:120])
	for _, name := range []string{"layout", "bundle.tgz", "bundle.tar"} {
		t.Run(name, func(t *testing.T) {
			in, err := store.OpenLayout(filepath.Join(dir, name), store.OpenOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			restoreCorrupt(t, in)
		})
	}
	t.Run("pipe", func(t *testing.T) {
		f, err := os.Open(filepath.Join(dir, "bundle.tar"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		in, err := store.OpenStream(f, store.OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		restoreCorrupt(t, in)
	})
}

func restoreCorrupt(t *testing.T, in store.Input) {
	t.Helper()
	target := testregistry.New(t, testregistry.Options{})
	report, err := tryRestore(t, in, target.Host, engine.RestoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var corrupt *engine.CorruptError
	if fails := report.Failures(); len(fails) != 1 || !errors.As(fails[0].Err, &corrupt) {
		t.Errorf("failed: %v", fails)
	}
	if tags := target.Tags("app"); len(tags) != 1 || tags[0] != "good" {
		t.Errorf("the target has the tags %v", tags)
	}
}

// damage changes the bytes of a file where they are found.
func damage(t *testing.T, path string, where []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	i := bytes.Index(data, where)
	if i < 0 {
		t.Fatalf("%s does not hold the bytes to damage", path)
	}
	data[i] ^= 1
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestTruncatedPipe: what came whole before the end is restored, nothing else is
// tagged, and the run says that the archive is cut off.
func TestTruncatedPipe(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	fillMany(r, "many", 5)
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	backUp(t, path, selections(t, r.Host+"/many"))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{len(data) / 2, len(data) * 3 / 4, len(data) - 100} {
		in, err := store.OpenStream(bytes.NewReader(data[:cut]), store.OpenOptions{})
		if err != nil {
			continue // cut before index.json
		}
		target := testregistry.New(t, testregistry.Options{RejectSparse: true})
		if _, err := tryRestore(t, in, target.Host, engine.RestoreOptions{}); err == nil {
			t.Errorf("cut at %d of %d: no error", cut, len(data))
		}
		if err := in.Close(); err != nil {
			t.Error(err)
		}
		if _, err := testregistry.Snapshot(t.Context(), target.Access()); err != nil {
			t.Errorf("cut at %d of %d: %v", cut, len(data), err)
		}
	}
}
