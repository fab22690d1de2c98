package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"

	"github.com/oras-mirror/oras-mirror/store/oci"
)

func TestIngestGoesOn(t *testing.T) {
	for _, algorithm := range []digest.Algorithm{digest.SHA256, digest.SHA384, digest.SHA512} {
		b := item{data: layer(3, 200_000)}
		b.desc = ocispec.Descriptor{Digest: algorithm.FromBytes(b.data), Size: int64(len(b.data))}
		path := filepath.Join(t.TempDir(), "layout")
		d := openDir(t, path)
		in := begin(t, d, b.desc)
		if _, err := in.Write(b.data[:150_000]); err != nil {
			t.Fatal(err)
		}
		closeAll(t, in)
		closeAll(t, d)

		d = openDir(t, path)
		in = begin(t, d, b.desc)
		if in.Size() != 150_000 {
			t.Errorf("%s: goes on at %d", algorithm, in.Size())
		}
		ingestRest(t, in, b.data)
		testBlob(t, d, b)
		if exists(d.aside(ingestName(b.desc.Digest))) {
			t.Errorf("%s: still in ingest/", algorithm)
		}
	}
}

func begin(t *testing.T, d *Dir, desc ocispec.Descriptor) *Ingest {
	t.Helper()
	in, err := d.Ingest(desc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	return in
}

func ingestRest(t *testing.T, in *Ingest, data []byte) {
	t.Helper()
	if _, err := in.Write(data[in.Size():]); err != nil {
		t.Fatal(err)
	}
	if err := in.Commit(); err != nil {
		t.Fatal(err)
	}
	closeAll(t, in) // after Commit nothing
}

// The bytes of an interrupted run may be wrong.
func TestIngestHashesWhatIsThere(t *testing.T) {
	b := newItem("", []byte("the right bytes"))
	d := openDir(t, t.TempDir())
	name := d.aside(ingestName(b.desc.Digest))

	writeFile(t, name, []byte("the wrong"))
	in := begin(t, d, b.desc)
	if _, err := in.Write(b.data[in.Size():]); err != nil {
		t.Fatal(err)
	}
	var mismatch *oci.MismatchError
	if err := in.Commit(); !errors.As(err, &mismatch) || mismatch.Digest == b.desc.Digest || mismatch.Descriptor.Digest != b.desc.Digest {
		t.Errorf("%v", err)
	}
	if exists(name) || exists(d.blobPath(b.desc.Digest)) {
		t.Error("wrong bytes were kept")
	}

	writeFile(t, name, []byte("more than all of the right bytes"))
	in = begin(t, d, b.desc)
	if in.Size() != 0 {
		t.Errorf("goes on at %d, behind its end", in.Size())
	}
	ingestRest(t, in, b.data)
	testBlob(t, d, b)
}

func TestIngestOfAllThatIsThere(t *testing.T) {
	b := newItem("", []byte("all of it"))
	d := openDir(t, t.TempDir())
	writeFile(t, d.aside(ingestName(b.desc.Digest)), b.data)
	in := begin(t, d, b.desc)
	if in.Size() != b.desc.Size {
		t.Fatalf("size %d", in.Size())
	}
	ingestRest(t, in, b.data)
	testBlob(t, d, b)
}

func TestIngestVerifies(t *testing.T) {
	b := newItem("", []byte("the right bytes"))
	for name, data := range map[string]string{"short": "the right", "empty": "", "other": "the wrong bytes"} {
		d := openDir(t, t.TempDir())
		in := begin(t, d, b.desc)
		if _, err := in.Write([]byte(data)); err != nil {
			t.Fatal(err)
		}
		var mismatch *oci.MismatchError
		err := in.Commit()
		if !errors.As(err, &mismatch) || !errors.Is(err, content.ErrMismatchedDigest) || mismatch.Size != int64(len(data)) {
			t.Errorf("%s: %v", name, err)
		}
		if d.Has(b.desc) || len(names(t, filepath.Join(d.path, ingestFolder))) > 0 {
			t.Errorf("%s: something is left", name)
		}
		ingest(t, d, b) // another try begins at the start
		testBlob(t, d, b)
	}
}

func TestIngestTakesNoMoreThanItsSize(t *testing.T) {
	b := newItem("", []byte("bytes"))
	d := openDir(t, t.TempDir())
	in := begin(t, d, b.desc)
	var mismatch *oci.MismatchError
	if n, err := in.Write([]byte("bytes and more")); n != 0 || !errors.As(err, &mismatch) {
		t.Errorf("Write = %d, %v", n, err)
	}
	ingestRest(t, in, b.data)
}

func TestIngestReset(t *testing.T) {
	b := newItem("", []byte("the right bytes"))
	d := openDir(t, t.TempDir())
	in := begin(t, d, b.desc)
	if _, err := in.Write([]byte("the wrong")); err != nil {
		t.Fatal(err)
	}
	if err := in.Reset(); err != nil || in.Size() != 0 {
		t.Fatalf("size %d, %v", in.Size(), err)
	}
	ingestRest(t, in, b.data)
	testBlob(t, d, b)
}

func TestIngestOnceAtATime(t *testing.T) {
	b := newItem("", []byte("bytes"))
	d := openDir(t, t.TempDir())
	in := begin(t, d, b.desc)
	if _, err := d.Ingest(b.desc); err == nil {
		t.Error("two write one file")
	}
	closeAll(t, in)
	if got := names(t, filepath.Join(d.path, ingestFolder)); len(got) > 0 {
		t.Errorf("nothing came, and %q is left", got)
	}
	again := begin(t, d, b.desc)
	closeAll(t, in) // the one that is closed already must not give this one's place away
	if _, err := d.Ingest(b.desc); err == nil {
		t.Error("two write one file")
	}
	ingestRest(t, again, b.data)
}

func TestIngestReplacesABadBlob(t *testing.T) {
	b := newItem("", []byte("good"))
	d := openDir(t, t.TempDir())
	writeFile(t, d.blobPath(b.desc.Digest), []byte("evil"))
	ingest(t, d, b)
	testBlob(t, d, b)
}

func TestIngestLeftoversAreKept(t *testing.T) {
	b := newItem("", []byte("the right bytes"))
	path := filepath.Join(t.TempDir(), "layout")
	d := openDir(t, path)
	d.Index().Put(entry("example.com/x:v1", "x"))
	in := begin(t, d, b.desc)
	if _, err := in.Write(b.data[:4]); err != nil {
		t.Fatal(err)
	}
	commit(t, d)
	closeAll(t, in)
	writeFile(t, d.aside("index.json"), []byte("of a run that was killed"))
	writeFile(t, d.aside(fmt.Sprint(ingestName(b.desc.Digest), ".7")), []byte("same"))
	closeAll(t, d)

	d = openDir(t, path)
	if got, want := names(t, d.aside("")), []string{ingestName(b.desc.Digest)}; !slices.Equal(got, want) {
		t.Errorf("ingest/ has %q, want %q", got, want)
	}
	if err := d.Sweep(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(d.aside("")); !os.IsNotExist(err) {
		t.Errorf("Sweep left ingest/: %v", err)
	}
}
