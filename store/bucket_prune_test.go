package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// openToPrune opens a bucket as prune does.
func openToPrune(t testing.TB, path string) *Bucket {
	t.Helper()
	b, err := OpenLayoutBucket(path, CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// at returns options for a run at a time after the first one.
func at(start time.Time, after time.Duration, o PruneOptions) PruneOptions {
	o.Now = func() time.Time { return start.Add(after) }
	return o
}

// TestBucketIsPrunedInTwoRuns removes the entries at once, and the blobs a day later.
func TestBucketIsPrunedInTwoRuns(t *testing.T) {
	server := testbucket.New(t)
	s, start := newSample(t), time.Now()
	path := server.Path("layout/")
	s.writeBucket(t, openBucketAt(t, path, CreateOptions{}))
	keep := keeping("example.com/app:amd64")
	directory := s.directory(t)
	want, err := prune(t, directory, keep)
	if err != nil {
		t.Fatal(err)
	}
	run := func(after time.Duration, o PruneOptions) *Pruned {
		t.Helper()
		result, err := openToPrune(t, path).Prune(t.Context(), at(start, after, o))
		if err != nil {
			t.Fatal(err)
		}
		checkWhole(t, path)
		return result
	}
	dry := keep
	dry.DryRun = true
	if r := run(0, dry); r.Blobs != 0 || r.Waiting != want.Blobs || exists(filepath.Join(server.Folder, "layout", PruneFile)) {
		t.Errorf("a dry run: %+v", r)
	}
	if r := run(0, keep); r.Blobs != 0 || r.Waiting != want.Blobs || r.WaitingBytes != want.Bytes || len(r.Entries) != len(want.Entries) || !r.Until.Equal(start.Add(DefaultGrace)) {
		t.Errorf("the first run: %+v, want %+v", r, want)
	}
	if r := run(time.Hour, keep); r.Blobs != 0 || r.Waiting != want.Blobs || !r.Until.Equal(start.Add(DefaultGrace)) {
		t.Errorf("an hour later: %+v", r)
	}
	if r := run(25*time.Hour, keep); r.Blobs != want.Blobs || r.Bytes != want.Bytes || r.Waiting != 0 {
		t.Errorf("a day later: %+v, want %+v", r, want)
	}
	if r := run(26*time.Hour, keep); r.Blobs != 0 || r.Waiting != 0 {
		t.Errorf("the last run: %+v", r)
	}
	found := slices.Collect(openBucketAt(t, path, CreateOptions{}).blobs())
	left := slices.Sorted(openDir(t, directory).blobs())
	if !slices.Equal(found, left) {
		t.Errorf("the bucket has the blobs %v, the directory %v", found, left)
	}
}

// TestWriterStrikesWhatItUses lists blobs, uses them again, and prunes a day later.
func TestWriterStrikesWhatItUses(t *testing.T) {
	server := testbucket.New(t)
	s, start := newSample(t), time.Now()
	path := server.Path("layout/")
	s.writeBucket(t, openBucketAt(t, path, CreateOptions{}))
	if _, err := openToPrune(t, path).Prune(t.Context(), at(start, 0, keeping())); err != nil {
		t.Fatal(err)
	}
	b := openBucketAt(t, path, CreateOptions{})
	for _, m := range s.all() {
		if !b.Has(m.desc) {
			t.Fatalf("%s is gone", m.desc.Digest)
		}
	}
	for _, e := range s.index.Entries {
		b.Index().Put(e)
	}
	if err := b.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	result, err := openToPrune(t, path).Prune(t.Context(), at(start, 25*time.Hour, keeping("example.com/app:v1", "example.com/app:amd64")))
	if err != nil || result.Blobs != 0 {
		t.Errorf("%+v, %v", result, err)
	}
	testLayout(t, s, openLayoutAt(t, path, OpenOptions{}))
}

// TestWriterNoticesThatPruneRan has prune remove blobs between the start of a run and its
// index.json.
func TestWriterNoticesThatPruneRan(t *testing.T) {
	server := testbucket.New(t)
	s, start := newSample(t), time.Now()
	path := server.Path("layout/")
	s.writeBucket(t, openBucketAt(t, path, CreateOptions{}))
	if _, err := openToPrune(t, path).Prune(t.Context(), at(start, 0, keeping())); err != nil {
		t.Fatal(err)
	}
	b := openBucketAt(t, path, CreateOptions{})
	for _, m := range s.all() {
		b.Has(m.desc)
	}
	if _, err := openToPrune(t, path).Prune(t.Context(), at(start, 25*time.Hour, keeping())); err != nil {
		t.Fatal(err)
	}
	for _, e := range s.index.Entries {
		b.Index().Put(e)
	}
	if pruned, ok := errors.AsType[*PrunedError](b.Commit(t.Context())); !ok || pruned.Blobs != len(s.all()) {
		t.Errorf("%v", pruned)
	}
	s.writeBucket(t, openBucketAt(t, path, CreateOptions{}))
	testLayout(t, s, openLayoutAt(t, path, OpenOptions{}))
}

// TestKilledPruneIsFinished leaves a claim, which the next run ends.
func TestKilledPruneIsFinished(t *testing.T) {
	server := testbucket.New(t)
	s, start := newSample(t), time.Now()
	path := server.Path("layout/")
	s.writeBucket(t, openBucketAt(t, path, CreateOptions{}))
	if _, err := openToPrune(t, path).Prune(t.Context(), at(start, 0, keeping())); err != nil {
		t.Fatal(err)
	}
	ctx, kill := context.WithCancel(t.Context())
	removed := 0
	server.Inject(func(c testbucket.Call) *testbucket.Fault {
		if c.Kind == "DELETE" {
			if removed++; removed == 2 {
				kill()
			}
			return testbucket.Reset()
		}
		return nil
	})
	if _, err := openToPrune(t, path).Prune(ctx, at(start, 25*time.Hour, keeping())); err == nil {
		t.Fatal("a prune that was killed succeeds")
	}
	server.Inject(nil)
	if list, err := openToPrune(t, path).readPruneList(t.Context()); err != nil || len(list.Claimed) == 0 {
		t.Fatalf("%+v, %v", list, err)
	}
	result, err := openToPrune(t, path).Prune(t.Context(), at(start, 26*time.Hour, keeping()))
	if err != nil || result.Waiting != 0 {
		t.Errorf("%+v, %v", result, err)
	}
	if left := slices.Collect(openToPrune(t, path).blobs()); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestPruneAgainstWriters has four writers reach for old blobs while prune runs again and
// again: what index.json references is never missing.
func TestPruneAgainstWriters(t *testing.T) {
	server := testbucket.New(t)
	path := server.Path("layout/")
	layers := make([]item, 24)
	for i := range layers {
		layers[i] = newItem(ocispec.MediaTypeImageLayer, fmt.Appendf(nil, "layer %d", i))
	}
	s := newSample(t)
	s.writeBucket(t, openBucketAt(t, path, CreateOptions{}))
	ctx, stop := context.WithTimeout(t.Context(), 6*time.Second)
	defer stop()
	var wait sync.WaitGroup
	for w := range 4 {
		wait.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				writeImage(t, path, fmt.Sprintf("example.com/w%d:v%d", w, n%3), layers)
			}
		})
	}
	removed := 0
	for ctx.Err() == nil {
		keep := func(name string) bool { return digest.FromString(name).Encoded()[rand.N(8)] < '8' }
		result, err := openToPrune(t, path).Prune(t.Context(), PruneOptions{Keep: keep, Grace: 700 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		removed += result.Blobs
		checkPresent(t, server, path)
	}
	wait.Wait()
	checkWhole(t, path)
	if removed == 0 {
		t.Error("nothing was ever removed")
	}
}

// writeImage adds an image with some of the layers to a bucket. A run whose blobs are pruned
// meanwhile fails, and would be started again.
func writeImage(t *testing.T, path, name string, layers []item) {
	b := openBucketAt(t, path, CreateOptions{})
	some := &sample{index: new(Index)}
	m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, Config: ocispec.DescriptorEmptyJSON}
	m.SchemaVersion = 2
	some.blobs = append(some.blobs, item{ocispec.DescriptorEmptyJSON, []byte("{}")})
	for _, l := range layers {
		if rand.N(6) == 0 {
			m.Layers = append(m.Layers, l.desc)
			some.blobs = append(some.blobs, l)
		}
	}
	root := some.manifest(t, m)
	for _, i := range some.all() {
		if err := b.Push(i.desc, i.data); err != nil {
			t.Error(err)
		}
	}
	time.Sleep(rand.N(30 * time.Millisecond)) // as a download would take
	b.Index().Put(Entry{MediaType: root.MediaType, Digest: root.Digest, Size: root.Size, Name: name, Referrers: ReferrersAll})
	if err := b.Commit(t.Context()); err != nil && !errors.As(err, new(*PrunedError)) {
		t.Error(err)
	}
}

// checkPresent checks that every blob below index.json is there.
func checkPresent(t *testing.T, server *testbucket.Server, path string) {
	t.Helper()
	l := openLayoutAt(t, path, OpenOptions{})
	for _, e := range l.Index().Entries {
		data, err := ReadManifest(l, e.Descriptor())
		if err != nil {
			t.Errorf("%s: %v", e.Name, err)
			continue
		}
		m, err := ParseManifest(e.Descriptor(), data)
		if err != nil {
			t.Fatal(err)
		}
		for _, leaf := range m.Leaves() {
			if !exists(filepath.Join(server.Folder, "layout", filepath.FromSlash(bundle.BlobName(leaf.Digest)))) {
				t.Errorf("%s lacks %s", e.Name, leaf.Digest)
			}
		}
	}
}
