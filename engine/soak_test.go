package engine_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/engine/restore"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

var (
	soakRuns = flag.Int("soak", 0, "how many backups and restores TestSoak makes")
	soakSeed = flag.Uint64("soak.seed", 1, "what the first of them is made from; the others count on")
)

// TestSoak backs up registries with random content and random faults into random
// outputs, interrupts, runs again, restores under faults as well, and compares:
// nothing may be lost, and no run may call a success what is none. Each seed is
// one story, whatever the number of runs; go test -run TestSoak -soak 1
// -soak.seed N tells it again.
func TestSoak(t *testing.T) {
	if *soakRuns == 0 {
		t.Skip("make soak runs it")
	}
	for i := range *soakRuns {
		seed := *soakSeed + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) { newSoak(t, seed).tell() })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// soak is one story.
type soak struct {
	*rand.Rand
	t              *testing.T
	clock          *falseClock
	source, target *testregistry.Registry
	repos          []string
}

func newSoak(t *testing.T, seed uint64) *soak {
	s := &soak{Rand: rand.New(rand.NewPCG(seed, 0)), t: t, clock: newFalseClock()}
	s.source, s.target = testregistry.New(t, s.kind()), testregistry.New(t, s.kind())
	s.fill()
	return s
}

// one is true one time in n.
func (s *soak) one(n int) bool { return s.IntN(n) == 0 }

func (s *soak) kind() testregistry.Options {
	return testregistry.Options{Token: s.one(3), NoReferrersAPI: s.one(2), NoRange: s.one(4), NoMount: s.one(3),
		NoDigestHeader: s.one(4), RequireSubject: s.one(2), RejectSparse: s.one(2), PageSize: s.IntN(4)}
}

// fill puts graphs that share what they are made of.
func (s *soak) fill() {
	for i := range 1 + s.IntN(3) {
		repo := fmt.Sprintf("team/r%d", i)
		for j := range 1 + s.IntN(8) {
			image := s.image(repo, fmt.Sprintf("v%d", j))
			if s.one(3) {
				image = s.source.Index(repo, fmt.Sprintf("multi%d", j), s.called(image), s.called(s.image(repo, "")))
			}
			for range s.IntN(3) {
				image = s.source.Referrer(repo, image, "application/vnd.example.sbom", s.bytes())
			}
		}
		if s.one(3) {
			fillCache(s.source, repo)
		}
		s.repos = append(s.repos, s.source.Host+"/"+repo)
	}
}

// called gives some manifests media types that are not theirs.
func (s *soak) called(d ocispec.Descriptor) ocispec.Descriptor {
	if s.one(3) {
		return called(d, wrongTypes[s.IntN(len(wrongTypes))])
	}
	return d
}

func (s *soak) image(repo, tag string) ocispec.Descriptor {
	layers := make([][]byte, s.IntN(4))
	for i := range layers {
		layers[i] = s.bytes()
	}
	return s.source.Image(repo, tag, layers...)
}

// bytes are those of one of forty blobs, a few of them large.
func (s *soak) bytes() []byte {
	n := s.IntN(40)
	size := n * 300
	if n < 3 {
		size = 700_000 + n
	}
	return testregistry.Random(fmt.Sprint("blob", n), size)
}

// tell runs the story: a backup that is repeated until it is whole, then a
// restore that is.
func (s *soak) tell() {
	path := s.t.TempDir() + "/" + outputs[s.IntN(len(outputs))]
	s.source.Fault(nil)
	want, err := testregistry.Snapshot(s.t.Context(), s.source.Access())
	if err != nil {
		s.t.Fatal(err)
	}
	s.until(s.source, func(ctx context.Context) bool { return s.backup(ctx, path) })
	entries(s.t, path)
	pipe := !strings.HasSuffix(path, "/") && s.one(2)
	s.until(s.target, func(ctx context.Context) bool { return s.restore(ctx, path, pipe) })
	got, err := testregistry.Snapshot(s.t.Context(), s.target.Access())
	if err != nil {
		s.t.Fatal(err)
	}
	for _, line := range testregistry.Diff(want.Prefix("mirror"), got) {
		s.t.Error(line)
	}
}

// until runs something under faults until it says that all is well, with fewer
// faults each time.
func (s *soak) until(r *testregistry.Registry, run func(context.Context) bool) {
	const most = 6
	for n := 1; ; n++ {
		ctx, cancel := context.WithCancel(s.t.Context())
		if n < most {
			s.hurt(r, cancel)
		}
		well := run(ctx)
		cancel()
		r.Fault(nil)
		if well {
			return
		}
		if n == most {
			s.t.Fatal("it fails without a fault")
		}
	}
}

// hurt draws what goes wrong from now on: how often, what, when all is over.
func (s *soak) hurt(r *testregistry.Registry, cancel func()) {
	often := []int{3, 10, 30, 200}[s.IntN(4)]
	end := -1
	if s.one(3) {
		end = s.IntN(120)
	}
	draw := rand.New(rand.NewPCG(s.Uint64(), 1))
	var n atomic.Int32
	r.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if int(n.Add(1)) == end {
			cancel()
		}
		if draw.IntN(often) > 0 {
			return nil
		}
		return s.fault(draw, r, req)
	})
}

func (s *soak) fault(draw *rand.Rand, r *testregistry.Registry, req *http.Request) testregistry.Fault {
	at := draw.Int64N(3000)
	body := strings.Contains(testregistry.Kind(req), "GET") && !strings.Contains(req.URL.Path, "/tags/") && !strings.Contains(req.URL.Path, "/token")
	switch n := draw.IntN(15); {
	case n == 0:
		return testregistry.Status(503, "")
	case n == 1:
		return testregistry.Status(429, fmt.Sprint(at))
	case n == 2:
		return testregistry.ResetAfter(at)
	case n == 3 && testregistry.Kind(req) != "GET referrers": // that is how to say that there is no such API
		return testregistry.Status(404, "")
	case n == 4:
		return testregistry.Status(403, "")
	case n == 5:
		r.ExpireTokens()
	case !body:
		return testregistry.Reset()
	case n == 6:
		return testregistry.Cut(at)
	case n == 7 && testregistry.Kind(req) != "GET referrers": // no digest would tell
		return testregistry.Flip(at)
	case n == 8:
		return resetAtHalf()
	case n == 9:
		return rewriteBody(func(body []byte) []byte { return body[:len(body)/2] })
	case n == 10 && testregistry.Kind(req) == "GET blob":
		return testregistry.WrongLength(at)
	case n == 11 && testregistry.Kind(req) == "GET manifest":
		return testregistry.WrongLength(at)
	case n == 12 && testregistry.Kind(req) == "GET referrers":
		return damagedList(draw)
	case n == 13 && testregistry.Kind(req) == "GET manifest":
		return typed(wrongTypes[draw.IntN(len(wrongTypes))])
	}
	return nil
}

// backup reports whether a run says that all is whole, and holds the output to
// what it is to be after any run.
func (s *soak) backup(ctx context.Context, path string) bool {
	s.t.Helper()
	out, err := store.Create(path, store.CreateOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	report, err := backup.Run(ctx, s.clock.faced(s.t, 1+s.IntN(8)), selections(s.t, s.repos...), out, tight)
	if e := out.Close(); e != nil {
		s.t.Error(e)
	}
	noneLeft(s.t)
	if _, e := os.Stat(strings.TrimSuffix(path, "/") + "/index.json"); e == nil {
		entries(s.t, path)
	} else if info, e := os.Stat(path); e == nil && !info.IsDir() {
		entries(s.t, path)
	}
	return s.well(report, err)
}

func (s *soak) restore(ctx context.Context, path string, pipe bool) bool {
	s.t.Helper()
	to, err := config.ParseTarget(s.target.Host + "/mirror")
	if err != nil {
		s.t.Fatal(err)
	}
	in := openFor(s.t, path, pipe)
	report, err := restore.Run(ctx, s.clock.faced(s.t, 1+s.IntN(8)), in, engine.RestoreOptions{
		Targets: []config.Target{to}, Buffer: tight.Buffer, TempDir: s.t.TempDir()})
	if e := in.Close(); e != nil {
		s.t.Error(e)
	}
	noneLeft(s.t)
	s.target.Fault(nil)
	// Whatever came of it: what is visible in the target is whole.
	if _, e := testregistry.Snapshot(s.t.Context(), s.target.Access()); e != nil {
		s.t.Errorf("after a restore that ended with %v: %v", err, e)
	}
	return s.well(report, err)
}

// well reports whether a run claims success. One that ends with nothing or is
// interrupted claims none; any other error is not one that a registry can cause.
func (s *soak) well(report *engine.Report, err error) bool {
	s.t.Helper()
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, engine.ErrNothing):
		return false
	case err != nil:
		s.t.Errorf("ended with %v", err)
		return false
	}
	return len(report.Failures()) == 0
}
