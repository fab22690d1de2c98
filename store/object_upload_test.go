package store

import (
	"bytes"
	"errors"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/object"
)

// createObject starts a bundle in a bucket with the smallest parts.
func createObject(t testing.TB, path string) *Archive {
	t.Helper()
	d, err := Create(path, CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	a := d.(*Archive)
	a.medium.(*objectUpload).PartSize = bucket.MinPart
	return a
}

// writeObject stores the sample as a bundle in a bucket.
func (s *sample) writeObject(t testing.TB, path string) {
	t.Helper()
	a := createObject(t, path)
	s.writeArchive(t, a)
	if got, err := a.Commit(false); err != nil || got != path {
		t.Fatalf("Commit = %q, %v", got, err)
	}
}

// withLarge adds blobs of several parts to a sample.
func withLarge(s *sample) *sample {
	for i, size := range []int{3*bucket.MinPart + 7, 100, bucket.MinPart - 5000, 2 * bucket.MinPart} {
		s.blobs = append(s.blobs, newItem("", layer(byte(50+i), size)))
	}
	return s
}

// TestObjectHasTheBytesOfAFile checks that a bundle is the same in a bucket.
func TestObjectHasTheBytesOfAFile(t *testing.T) {
	server := testbucket.New(t)
	s := withLarge(newSample(t))
	for name, c := range map[string]bundle.Compression{"x.tgz": bundle.Gzip, "x.tar": bundle.None} {
		s.writeObject(t, server.Path(name))
		got, want := readFile(t, filepath.Join(server.Folder, name)), readFile(t, s.archive(t, name, c))
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, the file has %d", name, len(got), len(want))
		}
	}
}

// TestObjectRollsBack takes blobs back after any part of them, and compares the bundle with
// one that never had them.
func TestObjectRollsBack(t *testing.T) {
	server := testbucket.New(t)
	s := withLarge(newSample(t))
	want := readFile(t, s.archive(t, "x.tgz", bundle.Gzip))
	for _, part := range []int{0, 1, 1000, bucket.MinPart - 1, bucket.MinPart, 2*bucket.MinPart + 1, 3 * bucket.MinPart} {
		path := server.Path("rolled.tgz")
		a := createObject(t, path)
		for _, m := range s.manifests {
			if err := a.PutManifest(m.desc, m.data); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.PutIndex(s.index); err != nil {
			t.Fatal(err)
		}
		wrong := newItem("", layer(99, 3*bucket.MinPart+100))
		bytesOfWrong := encoded(t, a, wrong)[:part]
		for _, b := range s.blobs {
			if err := a.Begin(wrong.desc); err != nil {
				t.Fatal(err)
			}
			writeEncoded(t, a, bytesOfWrong)
			if err := a.Rollback(); err != nil {
				t.Fatal(err)
			}
			putBlob(t, a, b)
		}
		if _, err := a.Commit(false); err != nil {
			t.Fatal(err)
		}
		if got := readFile(t, filepath.Join(server.Folder, "rolled.tgz")); !bytes.Equal(got, want) {
			t.Errorf("after %d bytes: the bundle has %d bytes, want %d", part, len(got), len(want))
		}
	}
}

// TestObjectHasItsNameOnlyWhenWhole checks what a bucket has at each stage.
func TestObjectHasItsNameOnlyWhenWhole(t *testing.T) {
	server := testbucket.New(t)
	s := withLarge(newSample(t))
	path, file := server.Path("x.tgz"), filepath.Join(server.Folder, "x.tgz")
	a := createObject(t, path)
	s.writeArchive(t, a)
	if exists(file) {
		t.Error("an unfinished upload has the name")
	}
	closeAll(t, a)
	if exists(file) {
		t.Error("an upload that was given up has the name")
	}
	s.writeObject(t, path)
	first := readFile(t, file)

	smaller := newSample(t)
	a = createObject(t, path)
	smaller.writeArchive(t, a)
	if got, err := a.Commit(true); err != nil || got != path+".incomplete" || !bytes.Equal(readFile(t, file), first) {
		t.Errorf("an incomplete bundle: %q, %v", got, err)
	}
	smaller.writeObject(t, path)
	if !bytes.Equal(readFile(t, file), readFile(t, smaller.archive(t, "y.tgz", bundle.Gzip))) || exists(file+".incomplete") {
		t.Error("the bundle is not replaced")
	}
	for _, suffix := range []string{".incomplete", ""} {
		writeFile(t, file+suffix, bytes.Repeat([]byte("other "), 1000))
		if _, err := Create(path, CreateOptions{}); !errors.As(err, new(*disk.StrangerError)) {
			t.Errorf("an object %q of another program: %v", suffix, err)
		}
		writeFile(t, file+suffix, nil)
	}
	smaller.writeObject(t, path)
}

func TestObjectNeedsABuffer(t *testing.T) {
	testbucket.New(t)
	for _, tt := range []struct{ buffer, bytes, part int64 }{
		{0, 1 << 30, object.MinPart},
		{0, 1 << 40, 123389639},
		{128 << 20, 100 << 30, object.MinPart},
		{512 << 20, 1 << 40, 123389639},
		{128 << 20, 1 << 40, 0},
	} {
		d, err := Create("s3://"+testbucket.Name+"/x.tgz", CreateOptions{Buffer: tt.buffer})
		if err != nil {
			t.Fatal(err)
		}
		a := d.(*Archive)
		err = a.Expect(slices.Values([]ocispec.Descriptor{{Size: tt.bytes / 2}, {Size: tt.bytes / 2}}))
		if wrong, ok := errors.AsType[*object.BufferError](err); ok != (tt.part == 0) || ok && wrong.Buffer < tt.buffer {
			t.Errorf("%+v: %v", tt, err)
		}
		if got := a.medium.(*objectUpload).PartSize; err == nil && got != tt.part {
			t.Errorf("%+v: parts of %d", tt, got)
		}
	}
}

// TestOneBlobOfALargeBundle counts requests and bytes: reading one blob of a bundle costs
// its own bytes and the two ends.
func TestOneBlobOfALargeBundle(t *testing.T) {
	server := testbucket.New(t)
	s := largeSample(t)
	for i := range 60 {
		s.blobs = append(s.blobs, newItem("", layer(byte(100+i), 1<<20)))
	}
	path := server.Path("x.tgz")
	s.writeObject(t, path)
	server.Requests()
	server.Sent()
	l := openLayoutAt(t, path, OpenOptions{})
	if got := server.Requests(); !maps.Equal(got, map[string]int{"GET": 2}) {
		t.Errorf("opening took %v", got)
	}
	wanted := s.blobs[len(s.blobs)/2]
	testBlob(t, l, wanted)
	if got := server.Requests()["GET"]; got > 2 { // Stat and Open
		t.Errorf("reading a blob took %d requests", got)
	}
	if n := server.Sent(); n > 3<<20 {
		t.Errorf("%d bytes were sent", n)
	}
}

// TestObjectWhoseResponseIsLost loses the response to each request that makes the object. The
// store then does not know the upload any more.
func TestObjectWhoseResponseIsLost(t *testing.T) {
	server := testbucket.New(t)
	s := withLarge(newSample(t))
	want := readFile(t, s.archive(t, "x.tgz", bundle.Gzip))
	for _, again := range []string{"new", "replaced"} {
		path, file := server.Path("lost.tgz"), filepath.Join(server.Folder, "lost.tgz")
		server.Inject(func(c testbucket.Call) *testbucket.Fault {
			if c.Kind == "POST complete" && c.N == 2 {
				return testbucket.Status(http.StatusNotFound, "NoSuchUpload")
			}
			if c.N == 1 && c.Method != http.MethodGet && c.Method != http.MethodHead && c.Kind != "POST upload" {
				return testbucket.Lost()
			}
			return nil
		})
		a := createObject(t, path)
		s.writeArchive(t, a)
		if got, err := a.Commit(false); err != nil || got != path {
			t.Errorf("%s: Commit = %q, %v", again, got, err)
		}
		server.Inject(nil)
		if !bytes.Equal(readFile(t, file), want) || exists(file+".incomplete") {
			t.Errorf("%s: the bundle differs", again)
		}
	}
}

// TestObjectThatIsNotThere has the store forget an upload, with and without another object of
// the name and of the same size.
func TestObjectThatIsNotThere(t *testing.T) {
	server := testbucket.New(t)
	s := withLarge(newSample(t))
	for _, other := range []bool{false, true} {
		server.Inject(nil)
		a := createObject(t, server.Path("none.tgz"))
		s.writeArchive(t, a)
		server.Inject(func(c testbucket.Call) *testbucket.Fault {
			if c.Kind == "POST complete" {
				return testbucket.Status(http.StatusNotFound, "NoSuchUpload")
			}
			return nil
		})
		if other {
			size := len(readFile(t, s.archive(t, "x.tgz", bundle.Gzip)))
			writeFile(t, filepath.Join(server.Folder, "none.tgz"), make([]byte, size))
		}
		if _, err := a.Commit(false); !errors.Is(err, bucket.ErrNoUpload) {
			t.Errorf("Commit: %v", err)
		}
	}
}
