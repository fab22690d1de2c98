package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/object"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// clientOf returns a client for the bucket of the test.
func clientOf(t testing.TB) *bucket.Client {
	t.Helper()
	c, err := bucket.New(testbucket.Name, bucket.Options{Context: t.Context()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// noise returns bytes that do not compress.
func noise(seed uint64, size int) []byte {
	data := make([]byte, size)
	rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(data)
	return data
}

// writeParts writes a bundle with large manifests and one blob, for a plan of so many bytes,
// and returns the sizes of its parts.
func writeParts(t *testing.T, server *testbucket.Server, buffer, planned int64) ([]int64, error) {
	t.Helper()
	var mu sync.Mutex
	sizes := make(map[string]int64)
	server.Inject(func(c testbucket.Call) *testbucket.Fault {
		if c.Kind == "PUT part" {
			mu.Lock()
			defer mu.Unlock()
			sizes[fmt.Sprintf("%05s", c.URL.Query().Get("partNumber"))] = c.ContentLength
		}
		return nil
	})
	defer server.Inject(nil)
	if err := clientOf(t).Remove(t.Context(), "x.tar"); err != nil {
		t.Fatal(err)
	}
	d, err := Create(server.Path("x.tar"), CreateOptions{Buffer: buffer})
	if err != nil {
		t.Fatal(err)
	}
	a := d.(*Archive)
	defer a.Close()
	for i := range 5 {
		m := newItem(ocispec.MediaTypeImageManifest, noise(uint64(i), 4<<20))
		if err := a.PutManifest(m.desc, m.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.PutIndex(new(oci.Index)); err != nil {
		t.Fatal(err)
	}
	if err := a.Expect(slices.Values([]ocispec.Descriptor{{Size: planned}})); err != nil {
		return nil, err
	}
	putBlob(t, a, newItem("", noise(99, 25<<20)))
	if _, err := a.Commit(false); err != nil {
		t.Fatal(err)
	}
	var parts []int64
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		parts = append(parts, sizes[name])
	}
	return parts, nil
}

// TestPartsAreEqual announces plans of any size after manifests that are larger than a part:
// all parts but the last have one size.
func TestPartsAreEqual(t *testing.T) {
	server := testbucket.New(t)
	var want []byte
	for _, tt := range []struct{ buffer, planned, part int64 }{
		{0, 25 << 20, object.MinPart},
		{0, 100 << 30, object.MinPart},
		{0, bucket.MaxParts * (20 << 20), 21181445},
		{128 << 20, bucket.MaxParts * (20 << 20), 21181445},
	} {
		parts, err := writeParts(t, server, tt.buffer, tt.planned)
		if err != nil {
			t.Fatalf("%+v: %v", tt, err)
		}
		last := len(parts) - 1
		if len(parts) < 3 || parts[last] > parts[0] || slices.ContainsFunc(parts[:last], func(n int64) bool { return n != parts[0] }) {
			t.Errorf("%+v: parts of %d bytes", tt, parts)
		}
		if slack := parts[0] - tt.part; slack < 0 || slack > 16<<10 {
			t.Errorf("%+v: parts of %d bytes", tt, parts[0])
		}
		data, _, err := clientOf(t).Get(t.Context(), "x.tar", 64<<20)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = data
		}
		if !bytes.Equal(data, want) {
			t.Errorf("%+v: the bundle has other bytes", tt)
		}
	}
}

// TestPartsThatDoNotFit names a buffer, with which the same bundle can be written.
func TestPartsThatDoNotFit(t *testing.T) {
	server := testbucket.New(t)
	const planned = bucket.MaxParts * (20 << 20)
	for _, buffer := range []int64{16 << 20, 62 << 20} { // neither holds the manifests
		_, err := writeParts(t, server, buffer, planned)
		small, ok := errors.AsType[*object.BufferError](err)
		if !ok {
			t.Fatalf("%d MiB: %v", buffer>>20, err)
		}
		if _, err = writeParts(t, server, small.Buffer, planned); err != nil {
			t.Errorf("a buffer of %d MiB, as the error names it: %v", small.Buffer>>20, err)
		}
	}
}

// TestStaleUploads has prune abort the uploads of killed runs, and no others.
func TestStaleUploads(t *testing.T) {
	server := testbucket.New(t)
	path, client := server.Path("layout/"), clientOf(t)
	s := newSample(t)
	s.writeBucket(t, openBucketAt(t, path, CreateOptions{}))
	left := newItem("", []byte("left")).desc.Digest
	begun := func(key string) *bucket.Upload {
		u, err := client.NewUpload(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Put(t.Context(), 1, []byte("part")); err != nil {
			t.Fatal(err)
		}
		return u
	}
	begun("layout/" + bundle.BlobName(left))
	others := []*bucket.Upload{begun("layout/blobs/other"), begun("layout/x"), begun("beside/" + bundle.BlobName(left))}
	for _, run := range []struct {
		after   time.Duration
		dry     bool
		aborted int
	}{{0, false, 0}, {6 * 24 * time.Hour, false, 0}, {8 * 24 * time.Hour, true, 0}, {8 * 24 * time.Hour, false, 1}, {9 * 24 * time.Hour, false, 0}} {
		o := keeping("example.com/app:v1")
		o.DryRun = run.dry
		result, err := openToPrune(t, path).Prune(t.Context(), at(time.Now(), run.after, o))
		if err != nil || result.Uploads != run.aborted {
			t.Errorf("%+v: %+v, %v", run, result, err)
		}
	}
	for _, u := range others {
		if _, err := u.Put(t.Context(), 2, []byte("part")); err != nil {
			t.Errorf("another upload was aborted: %v", err)
		}
	}
}

// TestStaleUploadsOfABundle has killed runs leave uploads of a bundle, and one the upload of the
// copy to its name.
func TestStaleUploadsOfABundle(t *testing.T) {
	server := testbucket.New(t)
	newSample(t).writeObject(t, server.Path("x.tgz"))
	uploads := make(map[string]*bucket.Upload)
	for _, key := range []string{"x.tgz", "x.tgz.incomplete", "x.tgz2", "a/x.tgz"} {
		u, err := clientOf(t).NewUpload(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		uploads[key] = u
	}
	weekAgo := time.Now().Add(-uploadAge - time.Hour)
	err := filepath.WalkDir(filepath.Join(server.Folder, ".sgwtmp"), func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(path, weekAgo, weekAgo))
	})
	if err != nil {
		t.Fatal(err)
	}
	closeAll(t, createObject(t, server.Path("x.tgz")))
	for key, u := range uploads {
		_, err := u.Put(t.Context(), 1, []byte("part"))
		if stale := strings.HasPrefix(key, "x.tgz") && key != "x.tgz2"; errors.Is(err, bucket.ErrNoUpload) != stale {
			t.Errorf("%s: %v", key, err)
		}
	}
}
