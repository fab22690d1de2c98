package store

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/parts"
)

// TestPartsAreReplacedTogether writes fewer parts over more, and incomplete ones beside
// them.
func TestPartsAreReplacedTogether(t *testing.T) {
	s := partSample(t)
	folder := t.TempDir()
	path := filepath.Join(folder, "x.tgz")
	write := func(size int64, incomplete bool) string {
		p := newParts(t, path, size)
		if _, err := s.writeParts(t, p, 0); err != nil {
			t.Fatal(err)
		}
		return commitParts(t, p, incomplete)
	}
	stranger := filepath.Join(folder, "x.100.tgz")
	write(400_000, false)
	writeFile(t, filepath.Join(folder, "x.tgz"), []byte("a bundle in one file"))
	many := len(names(t, folder))
	if got := write(2<<20, true); got != filepath.Join(folder, "x.*.tgz.incomplete") {
		t.Errorf("an incomplete bundle replaced %s", got)
	}
	if got := write(2<<20, false); got != filepath.Join(folder, "x.*.tgz") {
		t.Errorf("%s", got)
	}
	got := names(t, folder)
	if want := []string{"x.001.tgz", "x.001.tgz.incomplete", "x.002.tgz", "x.002.tgz.incomplete", "x.tgz"}; !slices.Equal(got, want) || many < 6 {
		t.Errorf("found %q after %d", got, many)
	}
	writeFile(t, stranger, []byte("not ours"))
	if _, err := Create(path, CreateOptions{PartSize: 1 << 20}); err == nil {
		t.Error("a file of the user was to be replaced")
	}
}

// TestPartsOfAnotherSize resumes with another size: the run starts over and leaves nothing of
// the former one.
func TestPartsOfAnotherSize(t *testing.T) {
	s := partSample(t)
	folder, other := t.TempDir(), t.TempDir()
	p := newParts(t, filepath.Join(folder, "x.tgz"), 600_000)
	if _, err := s.writeParts(t, p, 2_200_000); !errors.Is(err, errStop) {
		t.Fatal(err)
	}
	kill(t, p)
	for _, at := range []string{folder, other} {
		p := newParts(t, filepath.Join(at, "x.tgz"), 3<<20)
		if _, err := s.writeParts(t, p, 0); err != nil {
			t.Fatal(err)
		}
		commitParts(t, p, false)
	}
	equalFolders(t, folderOf(t, folder), folderOf(t, other))
}

// TestPartsOfAFailedBlob leaves a blob out: every part ends with the same index.json.
func TestPartsOfAFailedBlob(t *testing.T) {
	s := partSample(t)
	folder := t.TempDir()
	p := newParts(t, filepath.Join(folder, "x.tgz"), 600_000)
	short := *s
	short.blobs = slices.DeleteFunc(slices.Clone(s.blobs), func(b item) bool { return b.desc.Size > 2<<20 })
	if _, err := short.announce(t, p, s.blobs); err != nil {
		t.Fatal(err)
	}
	last := &oci.Index{}
	last.Put(s.index.Entries[0])
	if err := p.PutIndex(last); err != nil {
		t.Fatal(err)
	}
	commitParts(t, p, true)
	for _, name := range names(t, folder) {
		l := openLayoutAt(t, filepath.Join(folder, name), OpenOptions{})
		if len(l.Index().Entries) != 1 {
			t.Errorf("%s lists %d entries", name, len(l.Index().Entries))
		}
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Size() > 600_000 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPartsTooSmall(t *testing.T) {
	s := newSample(t)
	for _, size := range []int64{1, 10 << 10} {
		folder := t.TempDir()
		p := newParts(t, filepath.Join(folder, "x.tgz"), size)
		_, err := s.writeParts(t, p, 0)
		small, ok := errors.AsType[*parts.SizeError](err)
		if !ok || small.Least <= size {
			t.Fatalf("parts of %d: %v", size, err)
		}
		if err := p.Close(); err != nil || len(names(t, folder)) > 0 {
			t.Errorf("left %q, %v", names(t, folder), err)
		}
		p = newParts(t, filepath.Join(folder, "x.tgz"), small.Least)
		if _, err := s.writeParts(t, p, 0); err != nil {
			if many, ok := errors.AsType[*parts.SizeError](err); !ok || many.Least != 0 {
				t.Errorf("parts of %d: %v", small.Least, err)
			}
		}
	}
}

// TestPartsNeedAFile refuses parts of anything but a file.
func TestPartsNeedAFile(t *testing.T) {
	for _, path := range []string{"-", os.DevNull, t.TempDir(), t.TempDir() + "/new/", "s3://bucket/x.tgz", "s3://bucket/x/"} {
		if _, err := Create(path, CreateOptions{PartSize: 1 << 30, Stdout: io.Discard}); !errors.Is(err, ErrNoParts) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
