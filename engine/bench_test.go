package engine_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/engine/restore"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

var delay = flag.Duration("delay", 20*time.Millisecond, "what a request to the registry of the latency benchmarks takes")

// concurrency is ours by default, and the floor's.
const concurrency = 16

// workload is the content that is backed up and restored.
type workload struct {
	name  string
	delay func() time.Duration // of each request
	bytes int64                // of all blobs
	fill  func(*testregistry.Registry) (repos []string)
}

var workloads = []workload{
	{"latency", func() time.Duration { return *delay }, 200 * 2048, small(200)},
	{"small", none, 1000 * 2048, small(1000)},
	{"large", none, 576 << 20, large},
}

func none() time.Duration { return 0 }

// small puts n images of two blobs of their own and one that all share.
func small(n int) func(r *testregistry.Registry) []string {
	return func(r *testregistry.Registry) []string {
		fillMany(r, "many", n)
		return []string{"many"}
	}
}

// large puts 576 MiB in 26 blobs: two images in each of four repositories, with
// two layers of their own and two that all share.
func large(r *testregistry.Registry) []string {
	shared := [][]byte{layer("base"), layer("runtime")}
	var repos []string
	for i := range 4 {
		repo := fmt.Sprintf("team/app%d", i)
		repos = append(repos, repo)
		for j := range 2 {
			tag := fmt.Sprintf("v%d", j)
			r.Image(repo, tag, append(shared[:2:2], layer(repo+tag+"a"), layer(repo+tag+"b"))...)
		}
	}
	return repos
}

// layer is 32 MiB that look like what layers are: compressed.
func layer(seed string) []byte {
	data := testregistry.Random(seed, 32<<20)
	copy(data, "\x1f\x8b\x08")
	return data
}

// contest is one benchmark: a run of ours and a bare one that does the same, in
// turn, so that both see the same machine at the same time. Allocations include
// the registry's; those of the floor show how many that is.
type contest struct {
	registry *testregistry.Registry
	delay    time.Duration
	bytes    int64
	ours     func()
	floor    func()
	clear    func() // takes back what either did
}

func (c contest) run(b *testing.B) {
	b.SetBytes(c.bytes)
	b.ReportAllocs()
	c.registry.SetDelay(c.delay)
	requests := make(map[string]int)
	var ours, floor time.Duration
	var allocations uint64
	for b.Loop() {
		b.StopTimer()
		c.settle()
		before := allocated()
		floor += clock(c.floor)
		allocations += allocated() - before
		c.settle()
		b.StartTimer()
		ours += clock(c.ours)
		b.StopTimer()
		for kind, n := range c.registry.Counts() {
			requests[kind] += n
		}
		c.settle()
		b.StartTimer()
	}
	for kind, n := range requests {
		b.ReportMetric(float64(n)/float64(b.N), strings.ReplaceAll(kind, " ", "-")+"/op")
	}
	b.ReportMetric(float64(ours)/float64(floor), "x-floor")
	b.ReportMetric(float64(allocations)/float64(b.N), "floor-allocs/op")
}

// settle makes every turn begin alike.
func (c contest) settle() {
	c.clear()
	c.registry.CloseConnections()
	c.registry.ResetCounts()
	runtime.GC()
}

func clock(f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// site is a filled registry and a folder to back up to.
type site struct {
	*testing.B
	workload
	source     *testregistry.Registry
	repos      []string
	selections []config.Selection
	dir        string
}

func newSite(b *testing.B, w workload) *site {
	s := &site{B: b, workload: w, source: testregistry.New(b, testregistry.Options{}), dir: b.TempDir()}
	s.repos = w.fill(s.source)
	for _, repo := range s.repos {
		ref, err := config.ParseReference(s.source.Host + "/" + repo)
		s.must(err)
		s.selections = append(s.selections, config.Selection{Reference: ref, Referrers: true})
	}
	return s
}

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *site) whole(report *engine.Report, err error) {
	s.Helper()
	s.must(err)
	for _, a := range report.Failures() {
		s.Fatalf("%s: %v", a.Reference, a.Err)
	}
}

// backUp writes what name is: "layout/", "bundle.tgz", or "parts.tgz", in parts.
func (s *site) backup(name string) {
	path := filepath.Join(s.dir, name) + name[len(strings.TrimSuffix(name, "/")):]
	o := engine.BackupOptions{Concurrency: concurrency}
	if previous, err := store.OpenLayout(path, store.OpenOptions{}); err == nil && !strings.HasSuffix(name, "/") {
		o.Previous = previous
		defer previous.Close()
	}
	var options store.CreateOptions
	if name == "parts.tgz" {
		options.PartSize = 64 << 20
	}
	out, err := store.Create(path, options)
	s.must(err)
	s.whole(backup.Run(s.Context(), client(concurrency), s.selections, out, o))
	s.must(out.Close())
}

// restoreTo pushes to a registry what name is: "layout", "bundle.tgz", or "pipe".
func (s *site) restore(name string, target *testregistry.Registry) {
	var in store.Input
	var err error
	if name == "pipe" {
		var f *os.File
		f, err = os.Open(filepath.Join(s.dir, "bundle.tgz"))
		s.must(err)
		defer f.Close()
		in, err = store.OpenStream(f, store.OpenOptions{})
	} else {
		in, err = store.OpenLayout(filepath.Join(s.dir, name), store.OpenOptions{})
	}
	s.must(err)
	defer in.Close()
	to, err := config.ParseTarget(target.Host)
	s.must(err)
	s.whole(restore.Run(s.Context(), client(concurrency), in, engine.RestoreOptions{Concurrency: concurrency, Targets: []config.Target{to}}))
}

// clear empties the folder.
func (s *site) clear() {
	entries, err := os.ReadDir(s.dir)
	s.must(err)
	for _, e := range entries {
		s.must(os.RemoveAll(filepath.Join(s.dir, e.Name())))
	}
}

// everywhere makes a benchmark of each workload and each kind of output or input.
func everywhere(b *testing.B, kinds []string, bench func(s *site, kind string) contest) {
	for _, w := range workloads {
		b.Run(w.name, func(b *testing.B) {
			for _, kind := range kinds {
				b.Run(strings.TrimSuffix(kind, "/"), func(b *testing.B) {
					c := bench(newSite(b, w), kind)
					c.delay, c.bytes = w.delay(), w.bytes
					c.run(b)
				})
			}
		})
	}
}

func BenchmarkBackup(b *testing.B) {
	everywhere(b, []string{"layout/", "bundle.tgz", "parts.tgz"}, func(s *site, kind string) contest {
		f := bare{site: s, host: s.source.URL}
		return contest{registry: s.source, clear: s.clear,
			ours:  func() { s.backup(kind) },
			floor: func() { f.download(strings.HasSuffix(kind, "/")) }}
	})
}

// Nothing is new: the floor asks for each tag and for its referrers, and copies
// the bundle that is to be replaced.
func BenchmarkBackupAgain(b *testing.B) {
	everywhere(b, []string{"layout/", "bundle.tgz"}, func(s *site, kind string) contest {
		s.backup(kind)
		f := bare{site: s, host: s.source.URL}
		return contest{registry: s.source, clear: func() {},
			ours: func() { s.backup(kind) },
			floor: func() {
				f.each(f.tags(), f.look)
				if kind == "bundle.tgz" {
					f.copy()
				}
			}}
	})
}

func BenchmarkRestore(b *testing.B) {
	everywhere(b, []string{"layout", "bundle.tgz", "pipe"}, func(s *site, kind string) contest {
		s.backup("layout/")
		s.backup("bundle.tgz")
		target := testregistry.New(s, testregistry.Options{})
		f := bare{site: s, host: target.URL}
		return contest{registry: target, clear: func() { f.empty(target) },
			ours:  func() { s.restore(kind, target) },
			floor: f.upload}
	})
}

// Nothing is missing: the floor asks for each tag, and lets a pipe run dry.
func BenchmarkRestoreAgain(b *testing.B) {
	everywhere(b, []string{"layout", "bundle.tgz", "pipe"}, func(s *site, kind string) contest {
		s.backup("layout/")
		s.backup("bundle.tgz")
		target := testregistry.New(s, testregistry.Options{})
		s.restore("layout", target)
		f := bare{site: s, host: target.URL}
		tags := f.stored()
		return contest{registry: target, clear: func() {},
			ours: func() { s.restore(kind, target) },
			floor: func() {
				f.each(tags, f.head)
				if kind == "pipe" {
					f.read()
				}
			}}
	})
}
