package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// TestPruneAgainstWriters has four writers reach for old blobs while one or two runs of prune
// go on and on. Their requests take turns in a random order, and after each one, nothing that
// index.json references is missing. The first seeds have lost something once. ORAS_MIRROR_SEEDS
// is the number of further ones.
func TestPruneAgainstWriters(t *testing.T) {
	seeds := []uint64{1104, 1186, 1398, 8349800035934581161, 15706036424909418441}
	further := 2
	if text := os.Getenv("ORAS_MIRROR_SEEDS"); text != "" {
		if _, err := fmt.Sscan(text, &further); err != nil {
			t.Fatal(err)
		}
	}
	for range further {
		seeds = append(seeds, rand.Uint64())
	}
	removed := 0
	for _, seed := range seeds {
		for pruners := range slices.Values([]int{1, 2}) {
			t.Run(fmt.Sprintf("seed %d, %d prune", seed, pruners), func(t *testing.T) {
				removed += newContest(t, testbucket.NewInMemory(t), seed, pruners).run(t)
			})
		}
	}
	if removed == 0 {
		t.Error("nothing was ever removed")
	}
}

// TestPruneAgainstWritersOnARealServer is the same with versitygw.
func TestPruneAgainstWritersOnARealServer(t *testing.T) {
	newContest(t, testbucket.New(t), rand.Uint64(), 2).run(t)
}

// TestContestIsReplayed has the same requests in the same order for a seed.
func TestContestIsReplayed(t *testing.T) {
	var traces []string
	for range 2 {
		c := newContest(t, testbucket.NewInMemory(t), 1, 2)
		c.run(t)
		traces = append(traces, c.trace.String())
	}
	if traces[0] != traces[1] || traces[0] == "" {
		t.Error("a seed gives another order")
	}
}

const writers = 4

// contest is a bucket with writers and prune, and a clock that goes on with their requests.
type contest struct {
	seed    uint64
	server  *testbucket.Server
	turns   *testbucket.Turns
	pruners int
	urls    []string // of the actors
	path    string
	layers  []item
	trace   strings.Builder

	// One actor at a time is between two requests.
	writing  atomic.Int32  // writers that have not ended
	seconds  atomic.Int64  // of the clock
	removing []atomic.Bool // of the actors: the next request removes a blob
}

func newContest(t *testing.T, server *testbucket.Server, seed uint64, pruners int) *contest {
	actors := writers + pruners
	c := &contest{seed: seed, server: server, turns: testbucket.NewTurns(seed, actors), pruners: pruners, path: server.Path("layout/"),
		removing: make([]atomic.Bool, actors)}
	for i := range 16 {
		c.layers = append(c.layers, newItem(ocispec.MediaTypeImageLayer, fmt.Appendf(nil, "layer %d", i)))
	}
	newSample(t).writeBucket(t, openBucketAt(t, c.path, CreateOptions{}))
	for i := range actors {
		c.urls = append(c.urls, server.Entrance(t, func(call testbucket.Call) *testbucket.Fault {
			c.removing[i].Store(call.Method == http.MethodDelete)
			return c.turns.Actor(i).Hold(call)
		}))
	}
	c.writing.Store(writers)
	return c
}

// options returns those of an actor.
func (c *contest) options(actor int) CreateOptions {
	sleep := func(ctx context.Context, _ time.Duration) error { return c.turns.Actor(actor).Pause(ctx) }
	return CreateOptions{Buckets: Buckets{Retry: bucket.Retry{Sleep: sleep},
		Settings: map[string]bucket.Settings{testbucket.Name: {Endpoint: c.urls[actor]}}}}
}

func (c *contest) now() time.Time {
	return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(c.seconds.Load()) * time.Second)
}

// run lets writers and prune run, and returns how many blobs were removed.
func (c *contest) run(t *testing.T) int {
	var removed atomic.Int64
	for w := range writers {
		go func() {
			defer c.turns.Actor(w).Leave()
			defer c.writing.Add(-1)
			r := rand.New(rand.NewPCG(c.seed, uint64(w)))
			for n := range 8 {
				c.write(t, r, w, fmt.Sprintf("example.com/w%d:v%d", w, n%3))
			}
		}()
	}
	for p := writers; p < writers+c.pruners; p++ {
		go func() {
			defer c.turns.Actor(p).Leave()
			r := rand.New(rand.NewPCG(c.seed, uint64(p+5)))
			for c.turns.Actor(p).Pause(t.Context()) == nil && c.writing.Load() > 0 {
				removed.Add(int64(c.prune(t, r, p)))
			}
		}()
	}
	c.turns.Run(func(actor int, what string) {
		fmt.Fprintln(&c.trace, actor, what)
		c.seconds.Add(1)
		if strings.HasPrefix(what, "PUT") || strings.HasPrefix(what, "DELETE") {
			c.check(t)
		}
	})
	checkWhole(t, c.path)
	return int(removed.Load())
}

// prune keeps some of the entries, by their names and by chance. Hours have passed since the
// last run, unless a blob is just being removed: no request takes as long.
func (c *contest) prune(t *testing.T, r *rand.Rand, actor int) int {
	hours := r.Int64N(40)
	if !slices.ContainsFunc(c.others(actor), c.isRemoving) {
		c.seconds.Add(hours * 3600)
	}
	b, err := OpenLayoutBucket(c.path, c.options(actor))
	if err != nil {
		t.Error(err)
		return 0
	}
	salt := fmt.Sprint(r.IntN(4))
	keep := func(name string) bool { return digest.FromString(name + salt).Encoded()[0] < '8' }
	result, err := b.Prune(t.Context(), PruneOptions{Keep: keep, Now: c.now, jobs: 1})
	if err != nil {
		t.Error(err)
		return 0
	}
	return result.Blobs
}

func (c *contest) others(actor int) (others []int) {
	for i := range c.removing {
		if i != actor {
			others = append(others, i)
		}
	}
	return others
}

func (c *contest) isRemoving(actor int) bool { return c.removing[actor].Load() }

// write adds an image with some of the layers, or an image that is there under another name:
// then its manifest is not read. A run whose blobs are pruned meanwhile fails, and would be
// started again.
func (c *contest) write(t *testing.T, r *rand.Rand, actor int, name string) {
	b, err := openBucket(c.path, c.options(actor))
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
	b.Index().Put(oci.Entry{MediaType: root.MediaType, Digest: root.Digest, Size: root.Size, Name: name, Referrers: oci.ReferrersAll})
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
	some := &sample{index: new(oci.Index)}
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

// check checks that every blob below index.json is there.
func (c *contest) check(t *testing.T) {
	var index struct{ Manifests []ocispec.Descriptor }
	data, _ := c.server.Read("layout/" + bundle.IndexFile)
	if err := json.Unmarshal(data, &index); err != nil {
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
		data, ok := c.server.Read("layout/" + bundle.BlobName(desc.Digest))
		if !ok {
			t.Errorf("index.json lists %s, which is gone", desc.Digest)
			continue
		}
		m, err := oci.ParseManifest(desc, data)
		if err != nil {
			t.Error(err)
			continue
		}
		queue = append(queue, m.Manifests...)
		for _, leaf := range m.Leaves() {
			if _, ok := c.server.Read("layout/" + bundle.BlobName(leaf.Digest)); !ok {
				t.Errorf("%s lacks %s", desc.Digest, leaf.Digest)
			}
		}
	}
}
