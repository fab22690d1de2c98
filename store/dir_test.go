package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"

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

func TestHas(t *testing.T) {
	s := newSample(t)
	path := s.directory(t)
	d := openDir(t, path)
	for _, b := range s.blobs {
		if !d.Has(b.desc) {
			t.Errorf("%s is missing", b.desc.Digest)
		}
	}
	if d.Has(newItem("", []byte("absent")).desc) {
		t.Error("has what is absent")
	}
	if d.Has(ocispec.Descriptor{Digest: "sha256:../../index.json"}) {
		t.Error("has what is no digest")
	}
}

func TestHasFindsTruncatedBlobsBySize(t *testing.T) {
	s := newSample(t)
	path := s.directory(t)
	root := s.index.Entries[0].Descriptor()
	blob := filepath.Join(path, bundle.BlobName(root.Digest))
	if err := os.Truncate(blob, root.Size-1); err != nil {
		t.Fatal(err)
	}
	d := openDir(t, path)
	if d.Has(root) {
		t.Error("has a truncated blob")
	}
	for _, m := range s.manifests {
		if err := d.Push(m.desc, m.data); err != nil {
			t.Fatal(err)
		}
	}
	if data, err := ReadManifest(d, root); err != nil {
		t.Errorf("it was not replaced: %q, %v", data, err)
	}
}

// A blob that index.json references counts by its size. Any other was left by a killed
// run, and counts after it is hashed.
func TestHasHashesWhatIsNotReached(t *testing.T) {
	s := newSample(t)
	path := s.directory(t)
	flip := func(d digest.Digest) {
		t.Helper()
		name := filepath.Join(path, bundle.BlobName(d))
		data := readFile(t, name)
		data[len(data)/2] ^= 1
		writeFile(t, name, data)
	}
	shared := s.blobs[1].desc // a layer of both images
	flip(shared.Digest)

	d := openDir(t, path)
	if d.Has(shared) {
		t.Error("a corrupt blob counts before anything says that index.json reaches it")
	}
	image := s.manifests[0].desc
	if _, err := ReadManifest(d, image); err != nil {
		t.Fatal(err)
	}
	if !d.Has(shared) {
		t.Error("a blob that index.json reaches was hashed")
	}

	// Pushing a manifest does not make its blobs trusted.
	more := newItem(ocispec.MediaTypeImageManifest, []byte(fmt.Sprintf(
		`{"schemaVersion":2,"layers":[{"digest":%q,"size":4}]}`, digest.FromString("good"))))
	writeFile(t, filepath.Join(path, bundle.BlobName(digest.FromString("good"))), []byte("evil"))
	if err := d.Push(more.desc, more.data); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadManifest(d, more.desc); err != nil {
		t.Fatal(err)
	}
	if d.Has(ocispec.Descriptor{Digest: digest.FromString("good"), Size: 4}) {
		t.Error("a corrupt blob of a new manifest counts")
	}
}

// Children that were left out of an index are not reached.
func TestTrustEndsAtTheSelection(t *testing.T) {
	s := newSample(t)
	for i := range s.index.Entries {
		s.index.Entries[i].Platforms = "linux/amd64"
	}
	path := s.directory(t)
	d := openDir(t, path)
	if _, err := ReadManifest(d, s.manifests[2].desc); err != nil {
		t.Fatal(err)
	}
	amd, arm := s.manifests[0].desc.Digest, s.manifests[1].desc.Digest
	if !d.trust.has(amd) || d.trust.has(arm) {
		t.Errorf("amd64 %v, arm64 %v", d.trust.has(amd), d.trust.has(arm))
	}
}

func TestPush(t *testing.T) {
	d := openDir(t, t.TempDir())
	m := newItem(ocispec.MediaTypeImageManifest, []byte(`{}`))
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if err := d.Push(m.desc, m.data); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	testBlob(t, d, m)
	var mismatch *oci.MismatchError
	if err := d.Push(m.desc, []byte(`[]`)); !errors.As(err, &mismatch) || !errors.Is(err, content.ErrMismatchedDigest) {
		t.Errorf("other bytes: %v", err)
	}
	if err := d.Push(ocispec.Descriptor{Digest: "sha256:../x", Size: 2}, m.data); err == nil {
		t.Error("a digest that is a path was accepted")
	}
}

func TestDirConcurrentUse(t *testing.T) {
	d := openDir(t, t.TempDir())
	var wait sync.WaitGroup
	for i := range 40 {
		wait.Go(func() {
			b := newItem(ocispec.MediaTypeImageManifest, fmt.Appendf(nil, `{"i":%d}`, i))
			ingest(t, d, b)
			d.Index().Put(oci.Entry{Digest: b.desc.Digest, Size: b.desc.Size, Name: fmt.Sprint("example.com/x:", i)})
			if i%10 == 0 {
				if err := d.Commit(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	commit(t, d)
	if got := len(openLayoutAt(t, d.Path(), OpenOptions{}).Index().Entries); got != 40 {
		t.Errorf("%d entries", got)
	}
}

// recorder replaces fsync and records the order of calls.
type recorder struct {
	mu     sync.Mutex
	synced []string
	fail   string // the name of what cannot be synced
}

func (r *recorder) sync(path string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != "" && filepath.Base(path) == r.fail {
		return errors.New("disk on fire")
	}
	r.synced = append(r.synced, path)
	return nil
}

func TestCommitSyncsBlobsThenFoldersThenIndex(t *testing.T) {
	s := newSample(t)
	d := openDir(t, filepath.Join(t.TempDir(), "layout"))
	r := &recorder{}
	d.sync = r.sync
	s.write(t, d)
	commit(t, d)
	rank := func(path string) int {
		name, _ := filepath.Rel(d.path, path)
		switch name = filepath.ToSlash(name); {
		case strings.HasPrefix(name, "blobs/sha256/"):
			return 0
		case name == "blobs/sha256":
			return 1
		case name == "blobs":
			return 2
		case name == "ingest/index.json":
			return 4
		}
		return 3 // the root, for oci-layout and again for index.json
	}
	var ranks []int
	for _, path := range r.synced {
		ranks = append(ranks, rank(path))
	}
	want := append(make([]int, len(s.all())), 1, 2, 3, 3, 4, 3)
	if !slices.Equal(ranks, want) {
		t.Errorf("synced %q", r.synced)
	}
	r.synced = nil
	commit(t, d)
	if len(r.synced) > 0 {
		t.Errorf("synced once more: %q", r.synced)
	}
}

// A blob that was hashed because nothing references it was never synced either.
func TestCommitSyncsWhatAKilledRunLeft(t *testing.T) {
	s := newSample(t)
	path := filepath.Join(t.TempDir(), "layout")
	d := openDir(t, path)
	ingest(t, d, s.blobs[0])
	closeAll(t, d)
	d = openDir(t, path)
	r := &recorder{}
	d.sync = r.sync
	if !d.Has(s.blobs[0].desc) {
		t.Fatal("it is gone")
	}
	commit(t, d)
	if !slices.Contains(r.synced, d.blobPath(s.blobs[0].desc.Digest)) {
		t.Errorf("synced only %q", r.synced)
	}
}

func TestCommitIsAllOrNothing(t *testing.T) {
	s := newSample(t)
	path := s.directory(t)
	before := readFile(t, filepath.Join(path, bundle.IndexFile))
	more := newItem("", []byte("more"))
	for _, fail := range []string{more.desc.Digest.Encoded(), "sha256", "blobs", bundle.IndexFile} {
		d := openDir(t, path)
		r := &recorder{fail: fail}
		d.sync = r.sync
		os.Remove(d.blobPath(more.desc.Digest))
		ingest(t, d, more)
		d.Index().Put(entry("example.com/more:v1", "more"))
		if err := d.Commit(t.Context()); err == nil {
			t.Errorf("%s: Commit says that all is well", fail)
		}
		if got := readFile(t, filepath.Join(path, bundle.IndexFile)); string(got) != string(before) {
			t.Errorf("%s: index.json has changed", fail)
		}
		if exists(filepath.Join(path, ingestFolder, bundle.IndexFile)) {
			t.Errorf("%s: half an index.json is left", fail)
		}
		closeAll(t, d)
	}

	// A second try syncs what the first did not.
	d := openDir(t, path)
	r := &recorder{fail: "sha256"}
	d.sync = r.sync
	os.Remove(d.blobPath(more.desc.Digest))
	ingest(t, d, more)
	if err := d.Commit(t.Context()); err == nil {
		t.Fatal("Commit says that all is well")
	}
	r.fail, r.synced = "", nil
	commit(t, d)
	if !slices.Contains(r.synced, d.blobPath(more.desc.Digest)) {
		t.Error("the second Commit forgot the blob")
	}
}

func TestCommitWithoutRoomAside(t *testing.T) {
	path := newSample(t).directory(t)
	before := readFile(t, filepath.Join(path, bundle.IndexFile))
	d := openDir(t, path)
	d.Index().Put(entry("example.com/more:v1", "more"))
	writeFile(t, filepath.Join(path, ingestFolder), []byte("a file where a folder is needed"))
	if err := d.Commit(t.Context()); err == nil {
		t.Error("Commit says that all is well")
	}
	if got := readFile(t, filepath.Join(path, bundle.IndexFile)); string(got) != string(before) {
		t.Error("index.json has changed")
	}
}

func TestCommitCancelled(t *testing.T) {
	s := newSample(t)
	d := openDir(t, filepath.Join(t.TempDir(), "layout"))
	s.write(t, d)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Commit(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if exists(filepath.Join(d.path, bundle.IndexFile)) {
		t.Error("index.json was written")
	}
}

// TestOutputThatIsGone: a run whose output is removed or replaced fails, and creates
// nothing in its place.
func TestOutputThatIsGone(t *testing.T) {
	for name, replace := range map[string]func(path string) error{
		"removed":  os.RemoveAll,
		"replaced": func(path string) error { return errors.Join(os.RemoveAll(path), os.Mkdir(path, 0o755)) },
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS == "windows" {
				t.Skip("what is open cannot be removed there")
			}
			path := filepath.Join(t.TempDir(), "layout")
			d, err := OpenDir(path)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if err := replace(path); err != nil {
				t.Fatal(err)
			}
			data := []byte("{}")
			if err := d.Push(ocispec.Descriptor{Digest: digest.FromBytes(data), Size: 2}, data); name == "removed" && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a blob: %v", err)
			}
			var gone *GoneError
			if err := d.Commit(t.Context()); !errors.As(err, &gone) {
				t.Errorf("got %v", err)
			}
			if exists(filepath.Join(path, bundle.IndexFile)) || name == "removed" && exists(path) {
				t.Error("something was made in its place")
			}
		})
	}
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	a, err := CreateArchive(path, bundle.Gzip)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if err := errors.Join(a.PutIndex(&oci.Index{}), os.Remove(path+".partial"), os.WriteFile(path+".partial", []byte("another's"), 0o644)); err != nil {
		t.Fatal(err)
	}
	var gone *GoneError
	if _, err := a.Commit(false); !errors.As(err, &gone) || exists(path) {
		t.Errorf("got %v", err)
	}
}

// TestCommitThatFailsKeepsWhatIsThere: an archive that cannot be renamed can be resumed.
func TestCommitThatFailsKeepsWhatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	a, err := CreateArchive(path, bundle.Gzip)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.PutIndex(&oci.Index{}), os.Mkdir(path, 0o755)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Commit(false); err == nil {
		t.Error("no error")
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if a.Partial() != path+".partial" || !exists(path+".partial") {
		t.Error("nothing is left of it")
	}
}
