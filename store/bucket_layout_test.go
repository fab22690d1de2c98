package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

func openBucketAt(t testing.TB, path string, o CreateOptions) *Bucket {
	t.Helper()
	d, err := Create(path, o)
	if err != nil {
		t.Fatal(err)
	}
	return d.(*Bucket)
}

// writeBucket stores all of the sample in a bucket.
func (s *sample) writeBucket(t testing.TB, b *Bucket) {
	t.Helper()
	for _, m := range s.manifests {
		if err := b.Push(m.desc, m.data); err != nil {
			t.Fatal(err)
		}
	}
	for _, i := range s.blobs {
		ingestInto(t, b, i)
	}
	for _, e := range s.index.Entries {
		b.Index().Put(e)
	}
	if err := b.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func ingestInto(t testing.TB, b *Bucket, i item) {
	t.Helper()
	in, err := b.Ingest(i.desc)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if _, err := in.Write(i.data); err != nil {
		t.Fatal(err)
	}
	if err := in.Commit(); err != nil {
		t.Fatal(err)
	}
}

// TestBucketHasTheFilesOfADirectory checks that both have the same names and bytes.
func TestBucketHasTheFilesOfADirectory(t *testing.T) {
	server := testbucket.New(t)
	s := newSample(t)
	s.writeBucket(t, openBucketAt(t, server.Path("a/b/"), CreateOptions{}))
	directory, found := s.directory(t), filepath.Join(server.Folder, "a", "b")
	files := func(path string) map[string]string {
		all := make(map[string]string)
		filepath.WalkDir(path, func(file string, entry os.DirEntry, err error) error {
			if err == nil && !entry.IsDir() && entry.Name() != LockFile {
				name, _ := filepath.Rel(path, file)
				all[name] = string(readFile(t, file))
			}
			return err
		})
		return all
	}
	if got, want := files(found), files(directory); !maps.Equal(got, want) {
		t.Errorf("the bucket has %d files, the directory %d", len(got), len(want))
	}
}

// TestBucketRequests counts what a run with something new, and one with nothing new, asks
// for.
func TestBucketRequests(t *testing.T) {
	server := testbucket.New(t)
	s := newSample(t)
	path := server.Path("layout/")
	s.writeBucket(t, openBucketAt(t, path, CreateOptions{}))
	blobs := len(s.all())
	// One list finds the prefix empty, one finds no blobs and no prune.json; the check of the
	// conditions is three writes. The first creates oci-layout. prune.json is asked for
	// before index.json is written.
	want := map[string]int{"GET": 2, "LIST": 2, "PUT if absent": blobs + 3, "PUT if match": 1}
	if got := server.Requests(); !maps.Equal(got, want) {
		t.Errorf("new: %v, want %v", got, want)
	}
	b := openBucketAt(t, path, CreateOptions{})
	for _, i := range s.all() {
		if !b.Has(i.desc) {
			t.Errorf("%s is absent", i.desc.Digest)
		}
	}
	for _, e := range s.index.Entries {
		b.Index().Put(e)
	}
	if err := b.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	want = map[string]int{"GET": 1, "LIST": 1, "PUT if absent": 1, "PUT if match": 1}
	if got := server.Requests(); !maps.Equal(got, want) {
		t.Errorf("nothing new: %v, want %v", got, want)
	}
}

// TestBucketListsManyBlobs checks the lists side by side: more blobs than one page has.
func TestBucketListsManyBlobs(t *testing.T) {
	server := testbucket.New(t)
	const blobs = 1500
	for n := range blobs {
		i := newItem("", fmt.Appendf(nil, "blob %d", n))
		writeFile(t, filepath.Join(server.Folder, "many", filepath.FromSlash(bundle.BlobName(i.desc.Digest))), i.data)
	}
	b := openBucketAt(t, server.Path("many/"), CreateOptions{SingleWriter: true})
	n := 0
	for d := range b.blobs() {
		if _, err := b.Stat(d); err != nil {
			t.Error(err)
		}
		n++
	}
	if got := server.Requests()["LIST"]; n != blobs || got < 258 || got > 270 {
		t.Errorf("%d blobs after %d lists", n, got)
	}
}

// TestBucketUploadsInParts checks blobs at the limits of a part.
func TestBucketUploadsInParts(t *testing.T) {
	server := testbucket.New(t)
	b := openBucketAt(t, server.Path("layout/"), CreateOptions{})
	for _, size := range []int{0, 1, uploadPart - 1, uploadPart, uploadPart + 1, 2 * uploadPart, 2*uploadPart + 5} {
		i := newItem("", layer(byte(size), max(size, 2))[:size])
		server.Requests()
		in, err := b.Ingest(i.desc)
		if err != nil {
			t.Fatal(err)
		}
		for rest := i.data; len(rest) > 0; {
			n := min(len(rest), 1+rand.N(3<<20))
			if _, err := in.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := in.Commit(); err != nil {
			t.Fatal(err)
		}
		testBlob(t, b, i)
		if parts := server.Requests()["PUT part"]; parts != 0 && size <= uploadPart || size > uploadPart && parts != (size+uploadPart-1)/uploadPart {
			t.Errorf("%d bytes in %d parts", size, parts)
		}
	}
}

// TestBucketRefusesWrongBlobs checks that wrong bytes never become an object, and leave no
// upload.
func TestBucketRefusesWrongBlobs(t *testing.T) {
	server := testbucket.New(t)
	b := openBucketAt(t, server.Path("layout/"), CreateOptions{})
	for _, size := range []int{10, uploadPart + 10} {
		i := newItem("", layer(1, size))
		in, err := b.Ingest(i.desc)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.Write(layer(2, size)); err != nil {
			t.Fatal(err)
		}
		var mismatch *oci.MismatchError
		if err := in.Commit(); !errors.As(err, &mismatch) {
			t.Errorf("%d wrong bytes: %v", size, err)
		}
		if b.Has(i.desc) || exists(filepath.Join(server.Folder, "layout", filepath.FromSlash(bundle.BlobName(i.desc.Digest)))) {
			t.Errorf("%d wrong bytes are an object", size)
		}
	}
	if got := server.Requests(); got["DELETE upload"] != 1 || got["POST complete"] != 0 {
		t.Errorf("%v", got)
	}
	if !b.memory.TryAcquire(uploadMemory) {
		t.Error("memory of the uploads is not released")
	}
}

// TestBucketReplacesBlobsOfTheWrongSize checks that what a foreign tool has truncated is
// written again.
func TestBucketReplacesBlobsOfTheWrongSize(t *testing.T) {
	server := testbucket.New(t)
	s := newSample(t)
	path := server.Path("layout/")
	s.writeBucket(t, openBucketAt(t, path, CreateOptions{}))
	i := s.blobs[0]
	writeFile(t, filepath.Join(server.Folder, "layout", filepath.FromSlash(bundle.BlobName(i.desc.Digest))), i.data[:5])
	b := openBucketAt(t, path, CreateOptions{})
	if b.Has(i.desc) {
		t.Fatal("a truncated blob counts")
	}
	ingestInto(t, b, i)
	testBlob(t, b, i)
}

// TestBucketVerifiesOnRequest checks that CreateOptions.Verify finds a blob of the right
// size with wrong bytes.
func TestBucketVerifiesOnRequest(t *testing.T) {
	server := testbucket.New(t)
	s := newSample(t)
	path := server.Path("layout/")
	s.writeBucket(t, openBucketAt(t, path, CreateOptions{}))
	i := s.blobs[0]
	writeFile(t, filepath.Join(server.Folder, "layout", filepath.FromSlash(bundle.BlobName(i.desc.Digest))), bytes.Repeat([]byte("x"), len(i.data)))
	if !openBucketAt(t, path, CreateOptions{}).Has(i.desc) {
		t.Error("a blob is hashed without a reason")
	}
	if b := openBucketAt(t, path, CreateOptions{Verify: true}); b.Has(i.desc) || !b.Has(s.blobs[1].desc) {
		t.Error("wrong bytes count")
	}
}

// TestBucketTakesAnyNumberOfWriters has sixteen of them add entries at once.
func TestBucketTakesAnyNumberOfWriters(t *testing.T) {
	server := testbucket.New(t)
	const writers, entries = 16, 5
	path := server.Path("layout/")
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			b := openBucketAt(t, path, CreateOptions{})
			for n := range entries {
				i := newItem(ocispec.MediaTypeImageManifest, fmt.Appendf(nil, `{"writer":%d,"n":%d}`, w, n))
				if err := b.Push(i.desc, i.data); err != nil {
					t.Error(err)
				}
				b.Index().Put(oci.Entry{MediaType: i.desc.MediaType, Digest: i.desc.Digest, Size: i.desc.Size, Name: fmt.Sprintf("example.com/w%d:v%d", w, n), Referrers: oci.ReferrersAll})
				if err := b.Commit(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	l := openLayoutAt(t, path, OpenOptions{})
	if got := len(l.Index().Entries); got != writers*entries {
		t.Errorf("%d of %d entries", got, writers*entries)
	}
}

// TestBucketWithoutConditions checks that a store that ignores either condition is refused.
func TestBucketWithoutConditions(t *testing.T) {
	server := testbucket.New(t)
	path := server.Path("layout/")
	for _, header := range []string{"If-None-Match", "If-Match"} {
		server.Inject(testbucket.Unconditional(header))
		_, err := Create(path, CreateOptions{})
		if wrong, ok := errors.AsType[*UnconditionalError](err); !ok || wrong.Header != header {
			t.Errorf("%s: %v", header, err)
		}
		s := newSample(t)
		b := openBucketAt(t, server.Path("single "+header+"/"), CreateOptions{SingleWriter: true})
		s.writeBucket(t, b)
		testLayout(t, s, b)
	}
}

func TestBucketErrors(t *testing.T) {
	server := testbucket.New(t)
	writeFile(t, filepath.Join(server.Folder, "other", "file"), []byte("x"))
	if _, err := Create(server.Path("other/"), CreateOptions{}); !errors.As(err, new(*NotLayoutError)) {
		t.Errorf("a prefix with other objects: %v", err)
	}
	writeFile(t, filepath.Join(server.Folder, "empty"), nil)
	for path, want := range map[string]string{
		server.Path("none/"):     "no OCI layout in the bucket under this name",
		"s3://no-such-bucket/x/": "NoSuchBucket",
		"s3://":                  "invalid bucket name",
		server.Path("none.tgz"):  "does not exist",
		server.Path("empty"):     "empty",
	} {
		_, err := OpenLayout(path, OpenOptions{})
		input, ok := errors.AsType[*InputError](err)
		if !ok || input.Path != path || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestBucketUnderFaults writes while every tenth request is answered 503 and every
// twentieth connection is reset, with or without an effect.
func TestBucketUnderFaults(t *testing.T) {
	server := testbucket.New(t)
	n := 0
	server.Inject(func(testbucket.Call) *testbucket.Fault {
		switch n++; {
		case n%10 == 0:
			return testbucket.SlowDown()
		case n%40 == 5:
			return testbucket.Lost()
		case n%40 == 25:
			return testbucket.Reset()
		}
		return nil
	})
	s := largeSample(t)
	path := server.Path("layout/")
	b := openBucketAt(t, path, CreateOptions{Buckets: impatient})
	big := newItem("", layer(9, 3*uploadPart))
	ingestInto(t, b, big)
	s.writeBucket(t, b)
	testBlob(t, b, big)
	testLayout(t, s, openLayoutAt(t, path, OpenOptions{Buckets: impatient}))
}

// impatient makes no pause between tries.
var impatient = Buckets{Retry: bucket.Retry{Sleep: func(context.Context, time.Duration) error { return nil }}}
