package store

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

var compressions = map[string]bundle.Compression{"x.tgz": bundle.Gzip, "x.tar": bundle.None}

func TestArchiveHasItsNameOnlyWhenWhole(t *testing.T) {
	s := newSample(t)
	path := filepath.Join(t.TempDir(), "x.tgz")
	old := bundle.TarHead(layoutFile)
	writeFile(t, path, old)
	a := createArchive(t, path, bundle.Gzip)
	s.writeArchive(t, a)
	if got := readFile(t, path); !bytes.Equal(got, old) || !exists(path+".partial") {
		t.Errorf("before Commit: %q in %q", got, names(t, filepath.Dir(path)))
	}
	if got, err := a.Commit(false); err != nil || got != path {
		t.Errorf("Commit = %q, %v", got, err)
	}
	if got := names(t, filepath.Dir(path)); !slices.Equal(got, []string{"x.tgz"}) {
		t.Errorf("left %q", got)
	}
	testLayout(t, s, openLayoutAt(t, path, OpenOptions{}))
	closeAll(t, a)
}

func createArchive(t *testing.T, path string, c bundle.Compression) *Archive {
	t.Helper()
	a, err := CreateArchive(path, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func TestArchiveAborted(t *testing.T) {
	s := newSample(t)
	parent := t.TempDir()
	path := filepath.Join(parent, "folder", "x.tgz")
	a := createArchive(t, path, bundle.Gzip)
	s.writeArchive(t, a)
	if err := a.Abort(); err != nil {
		t.Fatal(err)
	}
	closeAll(t, a)
	if exists(filepath.Dir(path)) {
		t.Errorf("left %q", names(t, parent))
	}
	if _, err := createArchive(t, path, bundle.Gzip).Commit(false); err == nil {
		t.Error("an archive without an index.json was committed")
	}
}

func TestArchiveIncomplete(t *testing.T) {
	s := newSample(t)
	path := filepath.Join(t.TempDir(), "x.tgz")
	for _, want := range []string{path, path + ".incomplete", path + ".incomplete"} {
		a := createArchive(t, path, bundle.Gzip)
		s.writeArchive(t, a)
		if got, err := a.Commit(true); err != nil || got != want || !exists(want) {
			t.Errorf("Commit = %q, %v; want %q", got, err, want)
		}
	}
}

func TestArchiveTakesThePlaceOfALinksTarget(t *testing.T) {
	s := newSample(t)
	for _, there := range []bool{true, false} {
		folder := t.TempDir()
		target, link := filepath.Join(folder, "v2.tgz"), filepath.Join(folder, "latest.tgz")
		if there {
			writeFile(t, target, bundle.TarHead(layoutFile))
		}
		if err := os.Symlink("v2.tgz", link); err != nil {
			t.Skip(err)
		}
		a := createArchive(t, link, bundle.Gzip)
		s.writeArchive(t, a)
		if got, err := a.Commit(false); err != nil || got != link {
			t.Errorf("Commit = %q, %v", got, err)
		}
		info, err := os.Lstat(link)
		if err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("the link is no link any more: %v", err)
		}
		testLayout(t, s, openLayoutAt(t, target, OpenOptions{}))
	}
}

func TestArchiveRights(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "file")
	writeFile(t, plain, nil)
	if got, want := mode(t, newSample(t).archive(t, "x.tgz", bundle.Gzip)), mode(t, plain); got != want {
		t.Errorf("has %v, want %v", got, want)
	}
}

func TestArchiveReplacesWhatAKilledRunLeft(t *testing.T) {
	s := newSample(t)
	path := filepath.Join(t.TempDir(), "x.tgz")
	damaged := append(readFile(t, s.archive(t, "killed.tgz", bundle.Gzip))[:40], layer(9, 1<<22)...)
	writeFile(t, path+".partial", damaged)
	a := createArchive(t, path, bundle.Gzip)
	s.writeArchive(t, a)
	if _, err := a.Commit(false); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(readFile(t, path), readFile(t, s.archive(t, "other.tgz", bundle.Gzip))) {
		t.Error("it is not the same archive")
	}
}

// A pipe and a file get the same bytes, and so do two runs.
func TestArchiveStreamIsTheSame(t *testing.T) {
	s := newSample(t)
	for name, c := range compressions {
		var out bytes.Buffer
		a := streamArchive(&out, c)
		s.writeArchive(t, a)
		if path, err := a.Commit(false); err != nil || path != "-" {
			t.Errorf("Commit = %q, %v", path, err)
		}
		if !bytes.Equal(out.Bytes(), readFile(t, s.archive(t, name, c))) {
			t.Errorf("%s: the stream is not the file", name)
		}
	}
}

func TestArchiveStreamWithNothingIsEmpty(t *testing.T) {
	var out bytes.Buffer
	a := streamArchive(&out, bundle.Gzip)
	closeAll(t, a)
	if out.Len() > 0 {
		t.Errorf("%d bytes", out.Len())
	}
}

func TestArchivePutsAManifestOnce(t *testing.T) {
	s := newSample(t)
	var once, twice bytes.Buffer
	for _, out := range []*bytes.Buffer{&once, &twice} {
		a := streamArchive(out, bundle.Gzip)
		s.writeArchive(t, a)
		if out == &twice {
			if err := a.PutManifest(s.manifests[0].desc, s.manifests[0].data); err != nil {
				t.Error(err)
			}
			if err := a.PutIndex(s.index); err != nil { // nothing new either
				t.Error(err)
			}
		}
		if _, err := a.Commit(false); err != nil {
			t.Error(err)
		}
	}
	if !bytes.Equal(once.Bytes(), twice.Bytes()) {
		t.Error("it is in there twice")
	}
	var mismatch *oci.MismatchError
	a := streamArchive(io.Discard, bundle.Gzip)
	if err := a.PutManifest(s.manifests[0].desc, []byte("other")); !errors.As(err, &mismatch) {
		t.Errorf("other bytes: %v", err)
	}
	if err := a.Begin(ocispec.Descriptor{Digest: "sha256"}); err == nil {
		t.Error("a blob without a digest was begun")
	}
}

// rolledBack writes the sample, rolls back blob number n after a part of its entry, and
// puts it at the end if again is set.
func (s *sample) rolledBack(t *testing.T, a *Archive, n, part int, again bool) {
	t.Helper()
	for _, m := range s.manifests {
		if err := a.PutManifest(m.desc, m.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.PutIndex(s.index); err != nil {
		t.Fatal(err)
	}
	for i, b := range s.blobs {
		if i != n {
			putBlob(t, a, b)
			continue
		}
		if err := a.Begin(b.desc); err != nil {
			t.Fatal(err)
		}
		all := encoded(t, a, b)
		writeEncoded(t, a, all[:min(part, len(all))])
		if err := a.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
	if again {
		putBlob(t, a, s.blobs[n])
	}
	if _, err := a.Commit(false); err != nil {
		t.Fatal(err)
	}
}

func TestRollbackInAFileLeavesNothing(t *testing.T) {
	s := largeSample(t)
	absent := s.blobs[1]
	rest := *s
	rest.blobs = slices.Concat(s.blobs[:1], s.blobs[2:])
	for name, c := range compressions {
		for _, part := range []int{0, 10, 600_000, 1 << 30} {
			path := filepath.Join(t.TempDir(), name)
			s.rolledBack(t, createArchive(t, path, c), 1, part, false)
			if !bytes.Equal(readFile(t, path), readFile(t, rest.archive(t, name, c))) {
				t.Errorf("%s, rolled back after %d bytes: something of %s is left", name, part, absent.desc.Digest)
			}
		}
	}
}

// In a pipe the entry stays. Its digest is wrong, so a reader treats it as absent; a later
// entry of that name counts.
func TestRollbackInAPipe(t *testing.T) {
	s := largeSample(t)
	for name, c := range compressions {
		for _, n := range []int{1, 5} { // two members each, one of them stored
			size := len(encoded(t, streamArchive(io.Discard, c), s.blobs[n]))
			for _, part := range []int{0, 10, 513, size - 600, size} {
				again := part == 513
				var out bytes.Buffer
				s.rolledBack(t, streamArchive(&out, c), n, part, again)
				path := filepath.Join(t.TempDir(), name)
				writeFile(t, path, out.Bytes())
				whole := part == size
				checkRolledBack(t, s, path, n, again || whole)
			}
		}
	}
}

func checkRolledBack(t *testing.T, s *sample, path string, n int, again bool) {
	t.Helper()
	l := openLayoutAt(t, path, OpenOptions{})
	for i, b := range s.blobs {
		if i != n || again {
			testBlob(t, l, b)
		}
	}
	r, err := Verify(t.Context(), l, verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	compareStream(t, path, r)
	for _, f := range r.Faults {
		if again || f.Digest != s.blobs[n].desc.Digest {
			t.Errorf("fault %v", f)
		}
	}
	if !again && len(r.Faults) == 0 {
		t.Error("a blob that could not be had is no fault")
	}
}

func TestArchiveSecondIndexHolds(t *testing.T) {
	s := newSample(t)
	less := new(oci.Index)
	less.Put(s.index.Entries[1])
	for name, c := range compressions {
		path := filepath.Join(t.TempDir(), name)
		a := createArchive(t, path, c)
		s.writeArchive(t, a)
		if err := a.PutIndex(less); err != nil {
			t.Fatal(err)
		}
		if _, err := a.Commit(true); err != nil {
			t.Fatal(err)
		}
		if got, want := indexText(t, openLayoutAt(t, path, OpenOptions{}).Index()), indexText(t, less); got != want {
			t.Errorf("%s: %s\nwant %s", name, got, want)
		}
	}
}

// failingWriter accepts n bytes.
type failingWriter struct{ n int }

var errFull = errors.New("no space left")

func (w *failingWriter) Write(p []byte) (int, error) {
	if len(p) > w.n {
		return 0, errFull
	}
	w.n -= len(p)
	return len(p), nil
}

func TestArchiveStreamFails(t *testing.T) {
	s := newSample(t)
	a := streamArchive(&failingWriter{n: 1000}, bundle.Gzip)
	var err error
	for _, m := range s.manifests {
		err = errors.Join(err, a.PutManifest(m.desc, m.data))
	}
	if err = errors.Join(err, a.PutIndex(s.index)); !errors.Is(err, errFull) {
		t.Errorf("%v", err)
	}
}

func TestFree(t *testing.T) {
	if _, ok := disk.Free(t.TempDir()); !ok {
		t.Skip("cannot tell here")
	}
	a := createArchive(t, filepath.Join(t.TempDir(), "x.tgz"), bundle.Gzip)
	if free, ok := a.Free(); !ok || free <= 0 {
		t.Errorf("%d, %v", free, ok)
	}
	if _, ok := streamArchive(io.Discard, bundle.Gzip).Free(); ok {
		t.Error("a pipe has room")
	}
}
