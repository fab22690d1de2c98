package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// TestPruneAgainstWriters has four writers reach for old blobs while prune runs again and
// again. Their requests take turns in a random order, and after each one, nothing that
// index.json references is missing.
func TestPruneAgainstWriters(t *testing.T) {
	removed := 0
	for range 4 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { removed += newContest(t, seed).run(t) })
	}
	if removed == 0 {
		t.Error("nothing was ever removed")
	}
}

const writers = 4

// contest is a bucket with writers and prune.
type contest struct {
	seed    uint64
	turns   *testbucket.Turns
	folder  string
	path    string
	options CreateOptions
	layers  []item
}

func newContest(t *testing.T, seed uint64) *contest {
	server := testbucket.New(t)
	c := &contest{seed: seed, turns: testbucket.NewTurns(seed, writers+1), path: server.Path("layout/"), folder: filepath.Join(server.Folder, "layout")}
	for i := range 16 {
		c.layers = append(c.layers, newItem(ocispec.MediaTypeImageLayer, fmt.Appendf(nil, "layer %d", i)))
	}
	newSample(t).writeBucket(t, openBucketAt(t, c.path, CreateOptions{}))
	server.Inject(c.turns.Hold)
	c.options.Buckets.Retry = bucket.Retry{Sleep: func(ctx context.Context, _ time.Duration) error { return c.turns.Pause(ctx) }}
	return c
}

// run lets writers and prune run, and returns how many blobs were removed.
func (c *contest) run(t *testing.T) (removed int) {
	var writing, pruning, turns sync.WaitGroup
	turns.Go(func() { c.turns.Run(func() { c.check(t) }) })
	ended, end := context.WithCancel(t.Context())
	for w := range writers {
		writing.Go(func() {
			defer c.turns.Leave()
			r := rand.New(rand.NewPCG(c.seed, uint64(w)))
			for n := range 8 {
				c.write(t, r, fmt.Sprintf("example.com/w%d:v%d", w, n%3))
			}
		})
	}
	pruning.Go(func() {
		r, now := rand.New(rand.NewPCG(c.seed, 9)), time.Now()
		for ended.Err() == nil {
			now = now.Add(time.Duration(r.IntN(40)) * time.Hour)
			removed += c.prune(t, r, now)
		}
	})
	writing.Wait()
	end()
	pruning.Wait()
	c.turns.Stop()
	turns.Wait()
	checkWhole(t, c.path)
	return removed
}

// prune keeps some of the entries, by their names and by chance.
func (c *contest) prune(t *testing.T, r *rand.Rand, now time.Time) int {
	b, err := OpenLayoutBucket(c.path, c.options)
	if err != nil {
		t.Error(err)
		return 0
	}
	salt := fmt.Sprint(r.IntN(4))
	keep := func(name string) bool { return digest.FromString(name + salt).Encoded()[0] < '8' }
	result, err := b.Prune(t.Context(), PruneOptions{Keep: keep, Now: func() time.Time { return now }})
	if err != nil {
		t.Error(err)
		return 0
	}
	return result.Blobs
}

// write adds an image with some of the layers, or an image that is there under another name:
// then its manifest is not read. A run whose blobs are pruned meanwhile fails, and would be
// started again.
func (c *contest) write(t *testing.T, r *rand.Rand, name string) {
	b, err := openBucket(c.path, c.options)
	if err != nil {
		t.Error(err)
		return
	}
	root, ok := someRecorded(r, b)
	if !ok || !b.Relies(root) {
		some := c.image(t, r)
		for _, i := range some.all() {
			if err := b.Push(i.desc, i.data); err != nil {
				t.Error(err)
			}
		}
		root = some.manifests[0].desc
	}
	b.Index().Put(Entry{MediaType: root.MediaType, Digest: root.Digest, Size: root.Size, Name: name, Referrers: ReferrersAll})
	if err := b.Commit(t.Context()); err != nil && !errors.As(err, new(*PrunedError)) {
		t.Error(err)
	}
}

func someRecorded(r *rand.Rand, b *Bucket) (ocispec.Descriptor, bool) {
	entries := b.Index().Entries
	if len(entries) == 0 || r.IntN(2) == 0 {
		return ocispec.Descriptor{}, false
	}
	e, ok := b.Recorded(entries[r.IntN(len(entries))].Descriptor())
	return e.Descriptor(), ok && e.Name != ""
}

func (c *contest) image(t *testing.T, r *rand.Rand) *sample {
	some := &sample{index: new(Index)}
	m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, Config: ocispec.DescriptorEmptyJSON}
	m.SchemaVersion = 2
	some.blobs = append(some.blobs, item{ocispec.DescriptorEmptyJSON, []byte("{}")})
	for _, l := range c.layers {
		if r.IntN(5) == 0 {
			m.Layers = append(m.Layers, l.desc)
			some.blobs = append(some.blobs, l)
		}
	}
	some.manifest(t, m)
	return some
}

// check checks on the disk that every blob below index.json is there.
func (c *contest) check(t *testing.T) {
	var index struct{ Manifests []ocispec.Descriptor }
	data, err := os.ReadFile(filepath.Join(c.folder, bundle.IndexFile))
	if err == nil {
		err = json.Unmarshal(data, &index)
	}
	if err != nil {
		t.Error(err)
		return
	}
	met := make(map[digest.Digest]bool)
	for queue := index.Manifests; len(queue) > 0; queue = queue[1:] {
		desc := queue[0]
		if met[desc.Digest] {
			continue
		}
		met[desc.Digest] = true
		data, err := os.ReadFile(filepath.Join(c.folder, filepath.FromSlash(bundle.BlobName(desc.Digest))))
		if err != nil {
			t.Errorf("index.json lists %s: %v", desc.Digest, err)
			continue
		}
		m, err := ParseManifest(desc, data)
		if err != nil {
			t.Error(err)
			continue
		}
		queue = append(queue, m.Manifests...)
		for _, leaf := range m.Leaves() {
			if !exists(filepath.Join(c.folder, filepath.FromSlash(bundle.BlobName(leaf.Digest)))) {
				t.Errorf("%s lacks %s", desc.Digest, leaf.Digest)
			}
		}
	}
}
