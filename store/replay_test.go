package store

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// write stores data as a blob after an interrupted run, and returns the number of bytes
// that were not present.
func writeBlob(t *testing.T, a *Archive, desc ocispec.Descriptor, data []byte) {
	t.Helper()
	stored, err := a.Stored(desc)
	if err != nil {
		t.Fatal(err)
	}
	if stored {
		return
	}
	head, skip, err := a.Continue(desc)
	if err != nil {
		t.Fatal(err)
	}
	if head == nil {
		if err := a.Begin(desc); err != nil {
			t.Fatal(err)
		}
	} else if err := head.Close(); err != nil {
		t.Fatal(err)
	}
	e := a.Encoder(desc, func(p []byte) error {
		n := min(skip, int64(len(p)))
		skip -= n
		_, err := a.Write(p[n:])
		return err
	})
	if _, err := e.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := a.End(); err != nil {
		t.Fatal(err)
	}
}

// TestReplay resumes a bundle that was cut at any byte, with the same plan and with
// another one: the result equals that of an uninterrupted run.
func TestReplay(t *testing.T) {
	image := newItem(ocispec.MediaTypeImageManifest, []byte(`{"schemaVersion":2}`)).desc
	index := &oci.Index{}
	index.Put(oci.Entry{MediaType: image.MediaType, Digest: image.Digest, Size: image.Size, Name: "a.io/b:v1"})
	other := &oci.Index{}
	other.Put(oci.Entry{MediaType: image.MediaType, Digest: image.Digest, Size: image.Size, Name: "a.io/b:v2"})
	blobs := [][]byte{[]byte("one"), bytes.Repeat([]byte("BZh large"), 300_000), []byte("three")}
	run := func(path string, c bundle.Compression, x *oci.Index) {
		a, err := CreateArchive(path, c)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.PutManifest(image, []byte(`{"schemaVersion":2}`)); err != nil {
			t.Fatal(err)
		}
		if err := a.PutIndex(x); err != nil {
			t.Fatal(err)
		}
		for _, data := range blobs {
			writeBlob(t, a, newItem("application/octet-stream", data).desc, data)
		}
		if _, err := a.Commit(false); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range compressions {
		path := filepath.Join(t.TempDir(), name)
		run(path, c, index)
		want := readFile(t, path)
		run(path, c, other)
		otherWant := readFile(t, path)
		for cut := 0; cut <= len(want); cut += 1 + len(want)/61 {
			writeFile(t, path+".partial", want[:cut])
			run(path, c, index)
			if !bytes.Equal(readFile(t, path), want) {
				t.Fatalf("%s cut at %d: another bundle", name, cut)
			}
			writeFile(t, path+".partial", want[:cut])
			run(path, c, other)
			if !bytes.Equal(readFile(t, path), otherWant) {
				t.Fatalf("%s of another plan cut at %d: another bundle", name, cut)
			}
		}
	}
}

// TestAnArchiveCountsWhatAnotherRunCanTakeUp checks the size that an interrupted backup
// reports: the content of complete entries, and the bytes of the unfinished one.
func TestAnArchiveCountsWhatAnotherRunCanTakeUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	manifest := []byte(`{"schemaVersion":2}`)
	image := newItem(ocispec.MediaTypeImageManifest, manifest).desc
	one, two := []byte("one blob"), bytes.Repeat([]byte("BZh another"), 1000)
	blob := func(data []byte) ocispec.Descriptor { return newItem("application/octet-stream", data).desc }
	begin := func() *Archive {
		a, err := CreateArchive(path, bundle.None)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	put := func(a *Archive) {
		if err := errors.Join(a.PutManifest(image, manifest), a.PutIndex(&oci.Index{})); err != nil {
			t.Fatal(err)
		}
	}
	keeps := func(a *Archive, want int) {
		t.Helper()
		if got := a.Kept(); got != int64(want) {
			t.Errorf("%d bytes are kept, want %d", got, want)
		}
	}
	a := begin()
	keeps(a, 0)
	put(a)
	writeBlob(t, a, blob(one), one)
	keeps(a, len(manifest)+len(one))
	if err := a.Begin(blob(two)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Write(make([]byte, 600)); err != nil {
		t.Fatal(err)
	}
	keeps(a, len(manifest)+len(one)+600)
	if err := a.Rollback(); err != nil {
		t.Fatal(err)
	}
	keeps(a, len(manifest)+len(one))
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}

	a = begin() // a run that ends before it has met any of it again
	keeps(a, len(manifest)+len(one))
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	keeps(a, len(manifest)+len(one))

	a = begin()
	put(a)
	writeBlob(t, a, blob(one), one)
	writeBlob(t, a, blob(two), two)
	keeps(a, len(manifest)+len(one)+len(two))
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}
