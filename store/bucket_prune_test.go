package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/store/oci"
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
	if r := run(0, dry); r.Blobs != 0 || r.Waiting != want.Blobs || exists(filepath.Join(server.Folder, "layout", pruneFile)) {
		t.Errorf("a dry run: %+v", r)
	}
	if r := run(0, keep); r.Blobs != 0 || r.Waiting != want.Blobs || r.WaitingBytes != want.Bytes || len(r.Entries) != len(want.Entries) || !r.Until.Equal(start.Add(defaultGrace)) {
		t.Errorf("the first run: %+v, want %+v", r, want)
	}
	if r := run(time.Hour, keep); r.Blobs != 0 || r.Waiting != want.Blobs || !r.Until.Equal(start.Add(defaultGrace)) {
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
	got := openLayoutAt(t, path, OpenOptions{})
	s.index.Annotations = map[string]string{oci.AnnotationPruned: got.Index().Annotations[oci.AnnotationPruned]}
	testLayout(t, s, got)
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

// TestWriterStrikesWhatItTrusts has prune drop and list what a run relies on without having
// read it: the blobs below it are struck off as well, even if reading fails at first.
func TestWriterStrikesWhatItTrusts(t *testing.T) {
	server := testbucket.New(t)
	s, start := newSample(t), time.Now()
	path := server.Path("layout/")
	s.writeBucket(t, openBucketAt(t, path, CreateOptions{}))
	b := openBucketAt(t, path, CreateOptions{})
	var trusted []oci.Entry
	for _, e := range s.index.Entries {
		if r, ok := b.Recorded(e.Descriptor()); ok && e.Name != "" && b.Relies(r.Descriptor()) {
			trusted = append(trusted, e)
		}
	}
	if _, err := openToPrune(t, path).Prune(t.Context(), at(start, 0, keeping())); err != nil {
		t.Fatal(err)
	}
	for _, e := range trusted {
		e.Name += "-again"
		b.Index().Put(e)
	}
	server.Inject(func(c testbucket.Call) *testbucket.Fault {
		if c.Kind == "GET" && strings.Contains(c.Key, "/blobs/") {
			return testbucket.Status(http.StatusMethodNotAllowed, "MethodNotAllowed")
		}
		return nil
	})
	if err := b.Commit(t.Context()); err == nil {
		t.Fatal("a commit succeeds that cannot read what it trusts")
	}
	server.Inject(nil)
	if err := b.Commit(t.Context()); err != nil || len(trusted) == 0 {
		t.Fatalf("%d are trusted: %v", len(trusted), err)
	}
	list, err := b.readPruneList(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	listed := func(d digest.Digest) bool { return slices.Contains(list.Blobs, d) }
	for _, e := range trusted {
		for _, part := range partsOf(t, b, e.Descriptor()) {
			if listed(part) {
				t.Errorf("%s: %s is still listed", e.Name, part)
			}
		}
	}
	if len(list.Blobs) == 0 {
		t.Error("nothing else is listed")
	}
}

// partsOf returns a manifest and all below it.
func partsOf(t *testing.T, l Layout, root ocispec.Descriptor) (parts []digest.Digest) {
	t.Helper()
	for queue := []ocispec.Descriptor{root}; len(queue) > 0; queue = queue[1:] {
		data, err := ReadManifest(l, queue[0])
		if err != nil {
			t.Fatal(err)
		}
		m, err := oci.ParseManifest(queue[0], data)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, queue[0].Digest)
		for _, leaf := range m.Leaves() {
			parts = append(parts, leaf.Digest)
		}
		queue = append(queue, m.Manifests...)
	}
	return parts
}

// TestPruneListHasALimit has an object of another program in the place of prune.json, and more
// blobs than a list has room for.
func TestPruneListHasALimit(t *testing.T) {
	server := testbucket.New(t)
	path := server.Path("layout/")
	newSample(t).writeBucket(t, openBucketAt(t, path, CreateOptions{}))
	for name, size := range map[string]int64{"not a list": 100, "too long": 1 << 40} {
		f, err := os.Create(filepath.Join(server.Folder, "layout", pruneFile))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Truncate(size), f.Close()); err != nil { // it takes no disk
			t.Fatal(err)
		}
		server.Sent()
		_, err = Create(path, CreateOptions{})
		if list, ok := errors.AsType[*PruneListError](err); !ok || list.Path != path+pruneFile {
			t.Errorf("%s: %v", name, err)
		}
		if sent := server.Sent(); sent > 2*maxPruneList {
			t.Errorf("%s: %d bytes were sent", name, sent)
		}
	}

	many := make([]digest.Digest, 600_000)
	for i := range many {
		many[i] = digest.Digest(fmt.Sprintf("sha256:%064d", i))
	}
	for claimed := range slices.Values([]int{0, 1000, 400_000}) {
		list := pruneList{Listed: time.Now(), Claimed: many[:claimed], Blobs: listable(many[claimed:], many[:claimed])}
		data, err := json.Marshal(&list)
		if err != nil || len(data) > maxPruneList || len(data) < maxPruneList-2<<10 {
			t.Errorf("%d claimed: a list of %d bytes, %v", claimed, len(data), err)
		}
	}
	if got := listable(many[:5], many[5:7]); len(got) != 5 {
		t.Errorf("%d of 5 blobs are listed", len(got))
	}
}
