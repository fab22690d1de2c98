package engine_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

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

// bare is the floor: it sends the requests without which the work cannot be
// done, as many at once as we do, hashes each body and writes it. It knows no
// retries, no limits, no names, and believes all that it is told; what goes wrong
// is a panic.
type bare struct {
	*site
	host   string // URL
	client *http.Client
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// leaf is a tag, and what stands under it.
type leaf struct {
	repo, tag string
	manifest  []byte
	mediaType string
	blobs     []ocispec.Descriptor
}

func (f *bare) ask(method, path string, body io.Reader, size int64, header ...string) *http.Response {
	req, err := http.NewRequestWithContext(context.Background(), method, path, body)
	must(err)
	req.ContentLength = size
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := f.client.Do(req)
	must(err)
	if resp.StatusCode >= 300 {
		panic(fmt.Sprintf("%s %s: %s", method, path, resp.Status))
	}
	return resp
}

func (f *bare) get(path string) []byte {
	resp := f.ask(http.MethodGet, f.host+path, nil, 0)
	data, err := io.ReadAll(resp.Body)
	must(errors.Join(err, resp.Body.Close()))
	return data
}

// connect begins a turn with connections of its own, as a client of ours does.
func (f *bare) connect() {
	f.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: concurrency, ReadBufferSize: 64 << 10, WriteBufferSize: 64 << 10}}
}

// side does n things, as many at once as there may be requests.
func side(n int, do func(i int)) {
	var group errgroup.Group
	group.SetLimit(concurrency)
	for i := range n {
		group.Go(func() error { do(i); return nil })
	}
	must(group.Wait()) // do has no error
}

func (f *bare) each(leaves []*leaf, do func(*leaf)) {
	f.connect()
	side(len(leaves), func(i int) { do(leaves[i]) })
}

// tags lists what there is.
func (f *bare) tags() []*leaf {
	f.connect()
	var leaves []*leaf
	lists := make([][]string, len(f.repos))
	side(len(f.repos), func(i int) {
		var page struct{ Tags []string }
		must(json.Unmarshal(f.get("/v2/"+f.repos[i]+"/tags/list"), &page))
		lists[i] = page.Tags
	})
	for i, tags := range lists {
		for _, tag := range tags {
			leaves = append(leaves, &leaf{repo: f.repos[i], tag: tag})
		}
	}
	return leaves
}

// fetch reads a manifest and asks for what refers to it.
func (f *bare) fetch(l *leaf) {
	l.manifest = f.get("/v2/" + l.repo + "/manifests/" + l.tag)
	f.get("/v2/" + l.repo + "/referrers/" + l.read().String())
}

// read takes a manifest apart and returns its digest.
func (l *leaf) read() digest.Digest {
	var m ocispec.Manifest
	must(json.Unmarshal(l.manifest, &m))
	l.mediaType, l.blobs = m.MediaType, append(m.Layers, m.Config)
	return digest.FromBytes(l.manifest)
}

func (f *bare) head(l *leaf) {
	f.ask(http.MethodHead, f.host+"/v2/"+l.repo+"/manifests/"+l.tag, nil, 0).Body.Close()
}

func (f *bare) look(l *leaf) {
	resp := f.ask(http.MethodHead, f.host+"/v2/"+l.repo+"/manifests/"+l.tag, nil, 0)
	resp.Body.Close()
	f.get("/v2/" + l.repo + "/referrers/" + resp.Header.Get("Docker-Content-Digest"))
}

// copy writes the old bundle once more, checked and synced.
func (f *bare) copy() {
	out, err := os.Create(filepath.Join(f.dir, "floor"))
	must(err)
	f.read(out, sha256.New())
	must(errors.Join(out.Sync(), out.Close()))
}

func (f *bare) read(to ...io.Writer) {
	in, err := os.Open(filepath.Join(f.dir, "bundle.tgz"))
	must(err)
	_, err = io.CopyBuffer(io.MultiWriter(to...), struct{ io.Reader }{in}, make([]byte, 1<<20))
	must(errors.Join(err, in.Close()))
}

// distinct returns each blob once, and where it was met first.
func distinct(leaves []*leaf) (blobs []ocispec.Descriptor, repos map[digest.Digest]string) {
	repos = make(map[digest.Digest]string)
	for _, l := range leaves {
		for _, b := range l.blobs {
			if repos[b.Digest] == "" {
				repos[b.Digest] = l.repo
				blobs = append(blobs, b)
			}
		}
	}
	return blobs, repos
}

// download brings everything into files, or into one file, and syncs them.
func (f *bare) download(files bool) {
	leaves := f.tags()
	side(len(leaves), func(i int) { f.fetch(leaves[i]) })
	blobs, repos := distinct(leaves)
	if files {
		f.downloadFiles(leaves, blobs, repos)
		return
	}
	out, err := os.Create(filepath.Join(f.dir, "floor"))
	must(err)
	offsets := make([]int64, len(blobs)+1)
	for _, l := range leaves {
		n, err := out.WriteAt(l.manifest, offsets[0])
		must(err)
		offsets[0] += int64(n)
	}
	for i, b := range blobs {
		offsets[i+1] = offsets[i] + b.Size
	}
	side(len(blobs), func(i int) { f.bring(repos, blobs[i], io.NewOffsetWriter(out, offsets[i])) })
	must(errors.Join(out.Sync(), out.Close()))
}

func (f *bare) downloadFiles(leaves []*leaf, blobs []ocispec.Descriptor, repos map[digest.Digest]string) {
	paths := make([]string, len(leaves), len(leaves)+len(blobs))
	side(len(leaves), func(i int) {
		paths[i] = filepath.Join(f.dir, digest.FromBytes(leaves[i].manifest).Encoded())
		must(os.WriteFile(paths[i], leaves[i].manifest, 0o644))
	})
	for _, b := range blobs {
		paths = append(paths, filepath.Join(f.dir, b.Digest.Encoded()))
	}
	side(len(blobs), func(i int) {
		out, err := os.Create(paths[len(leaves)+i])
		must(err)
		f.bring(repos, blobs[i], out)
		must(out.Close())
	})
	side(len(paths), func(i int) {
		out, err := os.Open(paths[i])
		must(err)
		must(errors.Join(out.Sync(), out.Close()))
	})
}

var buffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

func (f *bare) bring(repos map[digest.Digest]string, b ocispec.Descriptor, to io.Writer) {
	resp := f.ask(http.MethodGet, f.host+"/v2/"+repos[b.Digest]+"/blobs/"+b.Digest.String(), nil, 0)
	defer resp.Body.Close()
	hash := b.Digest.Algorithm().Hash()
	buffer := buffers.Get().(*[64 << 10]byte)
	defer buffers.Put(buffer)
	_, err := io.CopyBuffer(io.MultiWriter(to, hash), struct{ io.Reader }{resp.Body}, buffer[:])
	must(err)
	if digest.NewDigest(b.Digest.Algorithm(), hash) != b.Digest {
		panic("wrong bytes of " + b.Digest)
	}
}

// stored returns the blobs in the layout of the folder.
func (f *bare) stored() []*leaf {
	in, err := store.OpenLayout(filepath.Join(f.dir, "layout"), store.OpenOptions{})
	must(err)
	defer in.Close()
	var leaves []*leaf
	for _, e := range in.Index().Entries {
		ref, err := config.ParseReference(e.Name)
		must(err)
		l := &leaf{repo: ref.Repository, tag: ref.Tag}
		l.manifest, err = store.ReadManifest(in, e.Descriptor())
		must(err)
		l.read()
		leaves = append(leaves, l)
	}
	return leaves
}

// upload sends each blob of the layout once and mounts it elsewhere.
func (f *bare) upload() {
	f.connect()
	leaves := f.stored()
	blobs, repos := distinct(leaves)
	side(len(blobs), func(i int) { f.send(repos[blobs[i].Digest], blobs[i]) })
	side(len(leaves), func(i int) {
		for _, b := range leaves[i].blobs {
			if home := repos[b.Digest]; home != leaves[i].repo {
				path := "/v2/" + leaves[i].repo + "/blobs/uploads/?mount=" + b.Digest.String() + "&from=" + home
				f.ask(http.MethodPost, f.host+path, nil, 0).Body.Close()
			}
		}
		l := leaves[i]
		f.ask(http.MethodPut, f.host+"/v2/"+l.repo+"/manifests/"+l.tag, bytes.NewReader(l.manifest), int64(len(l.manifest)),
			"Content-Type", l.mediaType).Body.Close()
	})
}

func (f *bare) send(repo string, b ocispec.Descriptor) {
	session := f.ask(http.MethodPost, f.host+"/v2/"+repo+"/blobs/uploads/", nil, 0)
	session.Body.Close()
	blob, err := os.Open(filepath.Join(f.dir, "layout", "blobs", b.Digest.Algorithm().String(), b.Digest.Encoded()))
	must(err)
	path := f.host + session.Header.Get("Location") + "?digest=" + b.Digest.String()
	f.ask(http.MethodPut, path, blob, b.Size).Body.Close()
}

// empty removes from a registry all that was restored to it.
func (f *bare) empty(target *testregistry.Registry) {
	for _, l := range f.stored() {
		for _, b := range l.blobs {
			target.Remove(l.repo, b)
		}
		target.Remove(l.repo, ocispec.Descriptor{Digest: digest.FromBytes(l.manifest)})
	}
}
