package store

import (
	"context"
	"errors"
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

	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

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
