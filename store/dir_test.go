package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// names returns all files below path, with slashes.
func names(t testing.TB, path string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(path, func(p string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, _ := filepath.Rel(path, p)
			all = append(all, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return all
}

func TestDirHoldsTheLayoutAndNothingElse(t *testing.T) {
	s := newSample(t)
	path := s.directory(t)
	want := []string{bundle.IndexFile, bundle.LayoutFile, LockFile}
	for _, b := range s.all() {
		want = append(want, bundle.BlobName(b.desc.Digest))
	}
	slices.Sort(want)
	got := names(t, path)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if exists(filepath.Join(path, ingestFolder)) {
		t.Error("ingest/ is still there")
	}
}

func TestDirRights(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("rights are another thing there")
	}
	// The mode that the umask gives a new file and folder here.
	plain := filepath.Join(t.TempDir(), "folder", "file")
	writeFile(t, plain, nil)
	wantFile, wantFolder := mode(t, plain), mode(t, filepath.Dir(plain))
	path := newSample(t).directory(t)
	filepath.WalkDir(path, func(p string, entry fs.DirEntry, err error) error {
		want := wantFile
		if entry.IsDir() {
			want = wantFolder
		}
		if got := mode(t, p); got != want {
			t.Errorf("%s has %v, want %v", p, got, want)
		}
		return err
	})
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

func TestDirIsAddedTo(t *testing.T) {
	s := newSample(t)
	path := s.directory(t)
	before := len(names(t, path))
	d := openDir(t, path)
	more := newItem(ocispec.MediaTypeImageManifest, []byte(`{"more":1}`))
	if err := d.Push(more.desc, more.data); err != nil {
		t.Fatal(err)
	}
	d.Index().Put(oci.Entry{MediaType: more.desc.MediaType, Digest: more.desc.Digest, Size: more.desc.Size, Name: "example.com/more:v1"})
	commit(t, d)
	closeAll(t, d)
	l := openLayoutAt(t, path, OpenOptions{})
	if got := len(l.Index().Entries); got != len(s.index.Entries)+1 {
		t.Errorf("%d entries", got)
	}
	if got := len(names(t, path)); got != before+1 {
		t.Errorf("%d files where there were %d", got, before)
	}
}

func TestDirWithNothingNewIsNotWritten(t *testing.T) {
	path := newSample(t).directory(t)
	d := openDir(t, path)
	commit(t, d)
	if d.IndexWrites() != 0 {
		t.Errorf("index.json was written %d times", d.IndexWrites())
	}
	d.Index().Put(entry("example.com/new:v1", "new"))
	commit(t, d)
	if d.IndexWrites() != 1 {
		t.Errorf("index.json was written %d times, not once", d.IndexWrites())
	}
}

func TestDirRefusesOtherThings(t *testing.T) {
	for name, tt := range map[string]struct {
		files map[string]string
		ok    bool
	}{
		"empty":                 {nil, true},
		"git's placeholder":     {map[string]string{".gitkeep": ""}, true},
		"layout and more":       {map[string]string{"oci-layout": layoutFile, "index.json": emptyIndex, "README.md": "x"}, true},
		"layout with an ingest": {map[string]string{"oci-layout": layoutFile, "index.json": emptyIndex, "ingest/photo.jpg": "x"}, true},
		"layout without index":  {map[string]string{"oci-layout": layoutFile}, true},
		"left by a killed run":  {map[string]string{LockFile: "", "ingest/sha256-x": "x", "blobs/sha256/x": "x"}, true},
		"a folder of that name": {map[string]string{"ingest/photo.jpg": "x"}, false},
		"a photo":               {map[string]string{"photo.jpg": "x"}, false},
		"a photo beside a lock": {map[string]string{"photo.jpg": "x", LockFile: ""}, false},
		"blobs of another kind": {map[string]string{"blobs/x": "x"}, false},
		"layout of the future":  {map[string]string{"oci-layout": `{"imageLayoutVersion":"2.0.0"}`}, false},
		"index.json is {}":      {map[string]string{"oci-layout": layoutFile, "index.json": "{}"}, false},
		"index.json is broken":  {map[string]string{"oci-layout": layoutFile, "index.json": "{"}, false},
		"oci-layout is no JSON": {map[string]string{"oci-layout": "hello"}, false},
		"only index.json":       {map[string]string{"index.json": "{}"}, false},
	} {
		path := t.TempDir()
		for file, text := range tt.files {
			writeFile(t, filepath.Join(path, file), []byte(text))
		}
		before := names(t, path)
		d, err := OpenDir(path)
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			closeAll(t, d)
			if _, killed := tt.files[LockFile]; !killed && !slices.Equal(names(t, path), before) {
				t.Errorf("%s: left %q where there was %q", name, names(t, path), before)
			}
			continue
		}
		if !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("%s: %q does not name the path", name, err)
		}
		if got := names(t, path); !slices.Equal(got, before) {
			t.Errorf("%s: left %q where there was %q", name, got, before)
		}
	}
}

func TestDirErrors(t *testing.T) {
	var other *NotLayoutError
	folder := t.TempDir()
	writeFile(t, filepath.Join(folder, "photo.jpg"), []byte("x"))
	if _, err := OpenDir(folder); !errors.As(err, &other) || other.Path != folder {
		t.Errorf("a folder of photos: %v", err)
	}
	mine := filepath.Join(folder, ingestFolder)
	if err := os.Mkdir(mine, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDir(folder); err == nil || !exists(mine) {
		t.Errorf("an empty folder of the user: %v", err)
	}
	var output *OutputError
	for _, path := range []string{filepath.Join(folder, "photo.jpg"), filepath.Join(folder, "photo.jpg", "layout")} {
		if _, err := OpenDir(path); !errors.As(err, &output) || output.Path != path {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestDirIsLockedInThisProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "layout")
	d := openDir(t, path)
	var locked *disk.LockedError
	if _, err := OpenDir(path); !errors.As(err, &locked) || !strings.Contains(err.Error(), path) {
		t.Errorf("opened twice: %v", err)
	}
	d.Index().Put(entry("a", "a"))
	commit(t, d)
	closeAll(t, d)
	closeAll(t, openDir(t, path))
}

// A run that commits nothing leaves what it found.
func TestDirLeavesNoHalfLayout(t *testing.T) {
	s := newSample(t)
	parent := t.TempDir()
	d := openDir(t, filepath.Join(parent, "a", "b"))
	if err := d.Push(s.manifests[0].desc, s.manifests[0].data); err != nil {
		t.Fatal(err)
	}
	closeAll(t, d)
	if exists(filepath.Join(parent, "a")) {
		t.Errorf("left %q", names(t, parent))
	}

	d = openDir(t, parent)
	if err := d.Push(s.manifests[0].desc, s.manifests[0].data); err != nil {
		t.Fatal(err)
	}
	closeAll(t, d)
	if got := names(t, parent); len(got) > 0 || !exists(parent) {
		t.Errorf("left %q in a folder that was there", got)
	}

	ours, foreign := s.directory(t), s.directory(t)
	os.Remove(filepath.Join(foreign, LockFile)) // as another tool would have made it
	for _, path := range []string{ours, foreign} {
		before := names(t, path)
		closeAll(t, openDir(t, path))
		if got := names(t, path); !slices.Equal(got, before) {
			t.Errorf("left %q where there was %q", got, before)
		}
	}
}

func TestDirKeepsDownloads(t *testing.T) {
	s := newSample(t)
	path := filepath.Join(t.TempDir(), "layout")
	d := openDir(t, path)
	ingest(t, d, s.blobs[0])
	if err := d.Push(s.manifests[0].desc, s.manifests[0].data); err != nil {
		t.Fatal(err)
	}
	closeAll(t, d)
	d = openDir(t, path)
	if !d.Has(s.blobs[0].desc) {
		t.Error("a blob that was downloaded is gone")
	}
	s.write(t, d)
	commit(t, d)
	closeAll(t, d)
	testLayout(t, s, openLayoutAt(t, path, OpenOptions{}))
}
