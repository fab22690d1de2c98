package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

const (
	bucketWriters = 4
	bucketTags    = 100 // of each writer
)

// fillForWriters gives each writer a repository; all share layers.
func fillForWriters(r *testregistry.Registry) {
	for w := range bucketWriters {
		for n := range bucketTags {
			r.Image(fmt.Sprintf("team/w%d", w), fmt.Sprintf("v%d", n), []byte("shared by all"),
				fmt.Appendf(nil, "shared by %d", n), fmt.Appendf(nil, "of %d alone: %d", w, n))
		}
	}
}

// TestFourWritersOnABucket has four processes back up into one layout at once. Each is
// killed once, at a random request, and started again.
func TestFourWritersOnABucket(t *testing.T) {
	for name, fault := range map[string]func(n int) *testbucket.Fault{
		"well": func(int) *testbucket.Fault { return nil },
		"every tenth request answered 503, every twentieth connection reset": func(n int) *testbucket.Fault {
			switch {
			case n%20 == 8:
				return testbucket.Reset()
			case n%10 == 3:
				return testbucket.SlowDown()
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := testregistry.New(t, testregistry.Options{})
			fillForWriters(r)
			server := testbucket.New(t)
			n := 0
			server.Inject(func(testbucket.Call) *testbucket.Fault { n++; return fault(n) })
			writeAtOnce(t, r, server.Path("layout/"))
			server.Inject(nil)
			newDesk(t).mirror("verify", "--input", server.Path("layout/")).exits(0)
			l, err := store.OpenLayout(server.Path("layout/"), store.OpenOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got := len(l.Index().Entries); got != bucketWriters*bucketTags {
				t.Errorf("index.json has %d of %d entries", got, bucketWriters*bucketTags)
			}
		})
	}
}

// writeAtOnce runs the writers.
func writeAtOnce(t *testing.T, r *testregistry.Registry, layout string) {
	t.Helper()
	kills := newKiller(r)
	var wait sync.WaitGroup
	for w := range bucketWriters {
		wait.Go(func() {
			repository := fmt.Sprintf("team/w%d", w)
			args := []string{"backup", "-o", layout, r.Host + "/" + repository}
			d := newDesk(t)
			cmd := d.command(program, args...)
			cmd.Stderr = new(strings.Builder)
			started := make(chan struct{})
			kills.at(repository, 1+rand.N(3*bucketTags), func() {
				<-started
				_ = cmd.Process.Kill()
			})
			if err := cmd.Start(); err != nil {
				t.Error(err)
				return
			}
			close(started)
			if err := cmd.Wait(); err == nil {
				t.Errorf("the writer of %s was not killed", repository)
			}
			if got := d.mirror(args...); got.code != 0 {
				t.Errorf("%s: exit code %d\n%s", got.line, got.code, got.stderr)
			}
		})
	}
	wait.Wait()
}

// killer kills a process when a registry gets the nth request for its repository.
type killer struct {
	mu   sync.Mutex // guards what follows
	left map[string]int
	kill map[string]func()
}

func newKiller(r *testregistry.Registry) *killer {
	k := &killer{left: make(map[string]int), kill: make(map[string]func())}
	r.Fault(func(req *http.Request, _ int) testregistry.Fault {
		k.mu.Lock()
		defer k.mu.Unlock()
		for repository, kill := range k.kill {
			if !strings.HasPrefix(req.URL.Path, "/v2/"+repository+"/") {
				continue
			}
			if k.left[repository]--; k.left[repository] == 0 {
				kill()
			}
		}
		return nil
	})
	return k
}

func (k *killer) at(repository string, n int, kill func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.left[repository], k.kill[repository] = n, kill
}

// TestBucketTakesNoDisk backs up blobs that are larger than the buffer, as a layout and as a
// bundle: nothing is on the disk, and the memory is bounded.
func TestBucketTakesNoDisk(t *testing.T) {
	server := testbucket.New(t)
	r := testregistry.New(t, testregistry.Options{})
	r.Image("app", "v1", testregistry.Random("one", 200<<20), testregistry.Random("two", 100<<20), testregistry.Random("three", 30<<20))
	for _, name := range []string{"layout/", "bundle.tgz"} {
		d := newDesk(t)
		took := d.watch("backup", "-o", server.Path(name), r.Host+"/app:v1")
		if took.disk > 0 || took.memory > defaultBuffer+128<<20 {
			t.Errorf("%s: %d MiB of memory, %d bytes of disk", name, took.memory>>20, took.disk)
		}
		d.mirror("verify", "--input", server.Path(name)).exits(0)
	}
}

// TestKilledBackupToABucket kills a backup late. A layout keeps what was whole; a bundle has
// no name.
func TestKilledBackupToABucket(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	for i := range 100 {
		r.Image("team/app", fmt.Sprintf("v%d", i), testregistry.Random(fmt.Sprint(i), 50_000+i))
	}
	server := testbucket.New(t)
	d := newDesk(t)
	layout := []string{"backup", "--concurrency", "4", "-o", server.Path("layout/"), r.Host + "/team/app"}
	requests := clean(t, newDesk(t), r, "backup", "-o", "layout/", r.Host+"/team/app")
	blobs := r.Count("GET blob")
	killed(t, d, r, requests-blobs/5, layout...) // four fifths of the blobs were asked for
	r.ResetCounts()
	d.mirror(layout...).exits(0)
	if fetched := r.Count("GET blob"); fetched >= blobs/4 {
		t.Errorf("%d of %d blobs were fetched again", fetched, blobs)
	}
	d.mirror("verify", "--input", server.Path("layout/")).exits(0)

	bundle := []string{"backup", "-o", server.Path("x.tgz"), r.Host + "/team/app"}
	killed(t, d, r, requests*8/10, bundle...)
	d.mirror("list", "--input", server.Path("x.tgz")).exits(2).says("does not exist")
	d.mirror(bundle...).exits(0)
	d.mirror("verify", "--input", server.Path("x.tgz")).exits(0)
}
