package store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// once injects a fault into the first request of a kind, and calls do before it is served.
func once(server *testbucket.Server, kind, suffix string, fault *testbucket.Fault, do func()) {
	done := false
	server.Inject(func(c testbucket.Call) *testbucket.Fault {
		if done || c.Kind != kind || !strings.HasSuffix(c.Key, suffix) {
			return nil
		}
		done = true
		return fault.After(do)
	})
}

// stored is a bucket with a kept artifact, and with blobs that nothing references.
func stored(t *testing.T) (server *testbucket.Server, path string, blobs []item) {
	t.Helper()
	server = testbucket.NewInMemory(t)
	path = server.Path("layout/")
	b := openBucketAt(t, path, CreateOptions{})
	for i := range 3 {
		blobs = append(blobs, newItem(ocispec.MediaTypeImageManifest, fmt.Appendf(nil, `{"text":"old %d"}`, i)))
		if err := b.Push(blobs[i].desc, blobs[i].data); err != nil {
			t.Fatal(err)
		}
	}
	if err := addEntry(t, b, "kept"); err != nil {
		t.Fatal(err)
	}
	return server, path, blobs
}

// pruneAt runs prune, which keeps all artifacts.
func pruneAt(t *testing.T, path string, o CreateOptions, now func() time.Time) *Pruned {
	t.Helper()
	b, err := OpenLayoutBucket(path, o)
	if err != nil {
		t.Fatal(err)
	}
	result, err := b.Prune(t.Context(), PruneOptions{Keep: func(string) bool { return true }, Now: now, jobs: 1})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func fixed(now time.Time) func() time.Time { return func() time.Time { return now } }

// TestIndexThatWaitsLongerThanGrace has prune list and remove a blob while a writer that
// relies on it has sent its index.json already.
func TestIndexThatWaitsLongerThanGrace(t *testing.T) {
	server, path, blobs := stored(t)
	start := time.Now()
	b := openBucketAt(t, path, CreateOptions{Buckets: impatient})
	if err := b.Push(blobs[0].desc, blobs[0].data); err != nil { // it is there
		t.Fatal(err)
	}
	b.Index().Put(oci.Entry{MediaType: blobs[0].desc.MediaType, Digest: blobs[0].desc.Digest, Size: blobs[0].desc.Size, Name: "example.com/app:again", Referrers: oci.ReferrersAll})
	removed := 0
	once(server, "PUT if match", bundle.IndexFile, nil, func() {
		pruneAt(t, path, CreateOptions{}, fixed(start))
		removed = pruneAt(t, path, CreateOptions{}, fixed(start.Add(25*time.Hour))).Blobs
	})
	if pruned, ok := errors.AsType[*PrunedError](b.Commit(t.Context())); !ok || pruned.Blobs != 1 || removed != len(blobs) {
		t.Errorf("%d were removed; %v", removed, pruned)
	}
	checkWhole(t, path)
}

// TestTwoRunsOfPrune has one begin while the other removes blobs: it leaves them alone.
func TestTwoRunsOfPrune(t *testing.T) {
	server, path, blobs := stored(t)
	start := time.Now()
	pruneAt(t, path, CreateOptions{}, fixed(start))
	var second *Pruned
	once(server, http.MethodDelete, "", nil, func() {
		second = pruneAt(t, path, CreateOptions{}, fixed(start.Add(25*time.Hour+time.Minute)))
	})
	first := pruneAt(t, path, CreateOptions{}, fixed(start.Add(25*time.Hour)))
	if first.Blobs != len(blobs) || second == nil || second.Blobs != 0 || second.Waiting != len(blobs) {
		t.Errorf("%+v, %+v", first, second)
	}
	list, err := openToPrune(t, path).readPruneList(t.Context())
	if err != nil || len(list.Claimed)+len(list.Blobs) > 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestPruneThatSlept has the machine of prune sleep for hours while it removes blobs. Another
// run has finished its work, and a writer has stored the blobs again.
func TestPruneThatSlept(t *testing.T) {
	server, path, blobs := stored(t)
	start := time.Now()
	pruneAt(t, path, CreateOptions{}, fixed(start))
	now, slept := start.Add(25*time.Hour), false
	o := CreateOptions{}
	o.Buckets.Retry = bucket.Retry{Sleep: func(context.Context, time.Duration) error {
		if slept {
			return nil
		}
		slept, now = true, now.Add(2*time.Hour)
		if r := pruneAt(t, path, CreateOptions{}, fixed(now)); r.Blobs != len(blobs) {
			t.Errorf("the other run: %+v", r)
		}
		b := openBucketAt(t, path, CreateOptions{})
		for _, i := range blobs {
			if err := b.Push(i.desc, i.data); err != nil {
				t.Error(err)
			}
			b.Index().Put(oci.Entry{MediaType: i.desc.MediaType, Digest: i.desc.Digest, Size: i.desc.Size, Name: "example.com/app:" + i.desc.Digest.Encoded()[:8], Referrers: oci.ReferrersAll})
		}
		return b.Commit(t.Context())
	}}
	once(server, http.MethodDelete, "", testbucket.SlowDown(), func() {})
	if r := pruneAt(t, path, o, func() time.Time { return now }); r.Blobs != 0 || !slept {
		t.Errorf("%+v", r)
	}
	checkWhole(t, path)
	found := slices.Collect(openBucketAt(t, path, CreateOptions{}).blobs())
	if len(found) != len(blobs)+1 {
		t.Errorf("%d blobs are left", len(found))
	}
}

// TestBlobThatIsRemovedWhileItIsStored has prune remove a blob that a writer has just found.
func TestBlobThatIsRemovedWhileItIsStored(t *testing.T) {
	server := testbucket.NewInMemory(t)
	path := server.Path("layout/")
	b := openBucketAt(t, path, CreateOptions{})
	i := newItem(ocispec.MediaTypeImageManifest, []byte(`{"text":"kept"}`))
	key := "layout/" + bundle.BlobName(i.desc.Digest)
	server.Objects.Put(key, i.data)
	once(server, http.MethodHead, "", nil, func() { server.Objects.Remove(key) })
	if err := addEntry(t, b, "kept"); err != nil {
		t.Fatal(err)
	}
	checkWhole(t, path)
}

// TestTrustedManifestWithoutItsLayer has prune remove a layer, but not its manifest, between
// the index.json and the prune.json that a writer reads.
func TestTrustedManifestWithoutItsLayer(t *testing.T) {
	server := testbucket.NewInMemory(t)
	s, start := newSample(t), time.Now()
	path := server.Path("layout/")
	s.writeBucket(t, openBucketAt(t, path, CreateOptions{}))
	root := s.index.Entries[0]
	layer := partsOf(t, openBucketAt(t, path, CreateOptions{}), root.Descriptor())[1]
	list := &pruneList{Listed: start, Blobs: nil}
	list.Blobs = append(list.Blobs, layer)
	if err := openBucketAt(t, path, CreateOptions{}).writePruneList(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	once(server, "PUT if absent", bundle.LayoutFile, nil, func() {
		if _, err := openToPrune(t, path).Prune(t.Context(), at(start, 25*time.Hour, keeping())); err != nil {
			t.Error(err)
		}
	})
	b := openBucketAt(t, path, CreateOptions{Buckets: impatient})
	r, ok := b.Recorded(root.Descriptor())
	if !ok || !b.Relies(r.Descriptor()) {
		t.Fatal("the manifest is gone")
	}
	r.Name = "example.com/app:again"
	b.Index().Put(r)
	if _, ok := errors.AsType[*PrunedError](b.Commit(t.Context())); !ok {
		t.Error("the layer is not missed")
	}
	checkWhole(t, path)
}
