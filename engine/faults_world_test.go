package engine_test

import (
	"cmp"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/engine/restore"
	enginesync "github.com/oras-mirror/oras-mirror/engine/sync"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// The tests in the files faults_*_test.go are the rows of docs/reliability.md,
// as far as a fault can be made in one process. No test waits in them: a pause
// moves a clock, and that is all.

// falseClock is time for tests: to sleep is to move it.
type falseClock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
	woken func(pauses int) // hears of each pause, after it; may be nil
	stall time.Duration    // of a run's client, in real time

	atOnce int // requests of a run to one registry
}

func newFalseClock() *falseClock {
	return &falseClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), stall: 300 * time.Millisecond, atOnce: 4}
}

func (c *falseClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *falseClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept = append(c.slept, d)
	if c.woken != nil {
		c.woken(len(c.slept))
	}
	return ctx.Err()
}

// pass moves the clock without a pause.
func (c *falseClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *falseClock) pauses() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]time.Duration{}, c.slept...)
}

// faced is a run's client with that clock. What stalls is given up soon: this
// alone is real time.
func (c *falseClock) faced(t *testing.T, concurrency int) *registry.Client {
	return registry.New(registry.Options{Transport: transport.Options{
		Concurrency:     concurrency,
		CredentialFiles: []string{filepath.Join(t.TempDir(), "none.json")},
		StallTimeout:    c.stall,
		Retry:           transport.RetryOptions{Now: c.Now, Sleep: c.Sleep, Jitter: func() float64 { return 1 }},
	}})
}

// tight is so little memory that a megabyte comes in windows, and that few blobs
// are fetched ahead.
var tight = engine.BackupOptions{Buffer: 2 << 20}

// backupWith backs up with a client of its own, and sees that nothing runs on.
func backupWith(t *testing.T, c *registry.Client, path string, sources []config.Selection, o engine.BackupOptions) (*engine.Report, error) {
	t.Helper()
	out, err := store.Create(path, store.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	report, err := backup.Run(t.Context(), c, sources, out, o)
	if e := out.Close(); e != nil && err == nil {
		t.Fatal(e)
	}
	noneLeft(t)
	return report, err
}

// restoreWith restores from a file, or from a pipe, and sees that nothing runs on.
func restoreWith(t *testing.T, c *registry.Client, path string, pipe bool, target string) (*engine.Report, error) {
	t.Helper()
	to, err := config.ParseTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	in := openFor(t, path, pipe)
	defer in.Close()
	o := engine.RestoreOptions{Targets: []config.Target{to}, Buffer: 2 << 20, TempDir: t.TempDir()}
	report, err := restore.Run(t.Context(), c, in, o)
	noneLeft(t)
	return report, err
}

func openFor(t *testing.T, path string, pipe bool) store.Input {
	t.Helper()
	if !pipe {
		in, err := store.OpenLayout(path, store.OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	in, err := store.OpenStream(f, store.OpenOptions{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// noneLeft fails the test if a goroutine of ours outlives its run. One that is
// about to end gets the time to do so; connections that net/http keeps for
// another time are not ours.
func noneLeft(t *testing.T) {
	t.Helper()
	var left []string
	for range 20_000 {
		if left = ours(); len(left) == 0 {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("%d goroutines outlive the run:\n%s", len(left), strings.Join(left, "\n\n"))
}

// module begins the names of our functions; a folder may have another name, or the same.
const module = "github.com/oras-mirror/oras-mirror/"

func ours() []string {
	all := make([]byte, 1<<20)
	all = all[:runtime.Stack(all, true)]
	var left []string
	for _, one := range strings.Split(string(all), "\n\n") {
		mine := strings.Contains(one, module+"engine.") || strings.Contains(one, module+"engine/") ||
			strings.Contains(one, module+"store.") || strings.Contains(one, module+"store/")
		if mine && !strings.Contains(one, "net/http.(*persistConn)") && !strings.Contains(one, "net/http.(*Transport)") {
			left = append(left, one)
		}
	}
	return left
}

// hurt damages a registry.
type hurt func(r *testregistry.Registry)

// survives backs up from a registry that is hurt, into every kind of output,
// restores into another that is hurt the same way, and compares; then it syncs the one
// into another. A fault that passes costs time and nothing else.
func survives(t *testing.T, o testregistry.Options, h hurt) *falseClock {
	t.Helper()
	return newFalseClock().survives(t, o, h)
}

func (c *falseClock) survives(t *testing.T, o testregistry.Options, h hurt) *falseClock {
	t.Helper()
	for _, way := range []struct {
		name, path string
		pipe       bool
	}{{"directory", "layout/", false}, {"tgz", "bundle.tgz", false}, {"pipe", "bundle.tar", true}} {
		t.Run(way.name, func(t *testing.T) {
			source, target := testregistry.New(t, o), testregistry.New(t, o)
			repos := fillForFaults(source)
			h(source)
			output := t.TempDir() + "/" + way.path
			report, err := backupWith(t, c.faced(t, c.atOnce), output, selections(t, repos...), tight)
			whole(t, report, err)
			entries(t, output)
			h(target)
			report, err = restoreWith(t, c.faced(t, c.atOnce), output, way.pipe, target.Host+"/mirror")
			whole(t, report, err)
			source.Fault(nil)
			target.Fault(nil)
			testregistry.CheckSame(t, source, target, "mirror")
		})
	}
	t.Run("sync", func(t *testing.T) {
		source, target := testregistry.New(t, o), testregistry.New(t, o)
		repos := fillForFaults(source)
		h(source)
		h(target)
		report, err := syncWith(t, c.faced(t, c.atOnce), selections(t, repos...), target.Host+"/mirror")
		whole(t, report, err)
		source.Fault(nil)
		target.Fault(nil)
		testregistry.CheckSame(t, source, target, "mirror")
	})
	return c
}

// syncWith syncs with a client of its own, and sees that nothing runs on.
func syncWith(t *testing.T, c *registry.Client, sources []config.Selection, target string) (*engine.Report, error) {
	t.Helper()
	return syncOf(t, c, sources, engine.RestoreOptions{Buffer: 2 << 20}, target)
}

// syncOf is the same with options.
func syncOf(t *testing.T, c *registry.Client, sources []config.Selection, o engine.RestoreOptions, target string) (*engine.Report, error) {
	t.Helper()
	to, err := config.ParseTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	o.Targets = []config.Target{to}
	report, err := enginesync.Run(t.Context(), c, sources, engine.SyncOptions{RestoreOptions: o})
	noneLeft(t)
	return report, err
}

// fillForFaults puts one of everything, many small images, and one that comes in
// windows.
func fillForFaults(r *testregistry.Registry) []string {
	repos := fill(r)
	fillMany(r, "many", 10)
	r.Image("large", "v1", testregistry.Random("large", 1<<20))
	return append(repos, r.Host+"/many", r.Host+"/large")
}

// everyNth makes each nth request that wanted lets through go wrong. None goes
// wrong more than twice: an upload that breaks three times is given up.
func everyNth(n int, wanted func(*http.Request) bool, fault func(*http.Request) testregistry.Fault) func(*http.Request, int) testregistry.Fault {
	met, hit := 0, make(map[string]int)
	return func(req *http.Request, _ int) testregistry.Fault {
		if !wanted(req) {
			return nil
		}
		key := req.Method + cmp.Or(req.URL.Query().Get("digest"), req.URL.RequestURI())
		if met++; met%n != 0 || hit[key] == 2 {
			return nil
		}
		hit[key]++
		return fault(req)
	}
}

// firstOfEach makes the first request for each blob or manifest go wrong, in
// whatever repository it is.
func firstOfEach(kind string, fault testregistry.Fault) func(*http.Request, int) testregistry.Fault {
	met := make(map[string]bool)
	return func(req *http.Request, _ int) testregistry.Fault {
		key := path.Base(req.URL.Path)
		if testregistry.Kind(req) != kind || met[key] {
			return nil
		}
		met[key] = true
		return fault
	}
}

func anyRequest(*http.Request) bool { return true }

// bytesOfBlobs are the requests whose body is a blob, either way.
func bytesOfBlobs(req *http.Request) bool {
	kind := testregistry.Kind(req)
	return kind == "GET blob" || kind == "PUT upload"
}

// rewriteBody answers with what change makes of the body, and without a length.
func rewriteBody(change func(body []byte) []byte) testregistry.Fault {
	return func(answer http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			recorded := httptest.NewRecorder()
			answer.ServeHTTP(recorded, req)
			for key, values := range recorded.Header() {
				if key != "Content-Length" {
					w.Header()[key] = values
				}
			}
			w.WriteHeader(recorded.Code)
			http.NewResponseController(w).Flush() // chunked: no length is said
			w.Write(change(recorded.Body.Bytes()))
		})
	}
}

// resetAtHalf sends half of an answer's body and resets the connection.
func resetAtHalf() testregistry.Fault {
	return func(answer http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			recorded := httptest.NewRecorder()
			answer.ServeHTTP(recorded, req)
			for key, values := range recorded.Header() {
				w.Header()[key] = values
			}
			w.WriteHeader(recorded.Code)
			w.Write(recorded.Body.Bytes()[:recorded.Body.Len()/2])
			http.NewResponseController(w).Flush()
			testregistry.Reset()(nil).ServeHTTP(w, req)
		})
	}
}
