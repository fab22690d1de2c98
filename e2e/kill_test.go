package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// killPoints is at how many points of a run it is killed, from its first request
// to its last.
const killPoints = 20

// fillForKills puts what is shared and what is not, with layers larger than any
// buffer on the way, and referrers.
func fillForKills(r *testregistry.Registry) {
	for i := range 8 {
		image := r.Image("team/app", fmt.Sprintf("v%d", i), testregistry.Random(fmt.Sprint(i), 200_000+i), testregistry.Random("base", 300_000))
		r.Referrer("team/app", image, "application/vnd.example.signature", fmt.Append(nil, "signature", i))
	}
	r.Index("team/app", "multi", r.Image("team/app", "", []byte("one")), r.Image("team/app", "", []byte("two")))
}

// killed runs oras-mirror until a registry gets its nth request, and kills it
// there, with a signal that it cannot catch.
func killed(t *testing.T, d *desk, r *testregistry.Registry, n int, args ...string) {
	t.Helper()
	cmd := d.command(program, args...)
	var starting sync.Mutex // until cmd.Process is there
	requests := 0
	r.Fault(func(*http.Request, int) testregistry.Fault {
		if requests++; requests != n {
			return nil
		}
		starting.Lock()
		defer starting.Unlock()
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		return testregistry.Reset()
	})
	starting.Lock()
	err := cmd.Start()
	starting.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if !wasKilled(cmd) {
		t.Fatalf("it was not killed at request %d: %v", n, cmd.ProcessState)
	}
	for r.InFlight() > 0 { // what the registry still works at
		runtime.Gosched()
	}
	r.Fault(nil)
}

func wasKilled(cmd *exec.Cmd) bool {
	return cmd.ProcessState.ExitCode() == -1 || runtime.GOOS == "windows" && cmd.ProcessState.ExitCode() == 1
}

// atKillPoints runs a story for each point of a run that has so many requests.
func atKillPoints(t *testing.T, requests int, story func(t *testing.T, n int)) {
	t.Helper()
	if requests < 2*killPoints {
		t.Fatalf("a run of %d requests has no %d points", requests, killPoints)
	}
	for i := range killPoints {
		n := 1 + i*(requests-1)/(killPoints-1)
		t.Run(fmt.Sprintf("at request %d", n), func(t *testing.T) { story(t, n) })
	}
}

// clean runs a command that nothing disturbs and returns how many requests it
// makes. How they interleave differs between runs, but not their number.
func clean(t *testing.T, d *desk, r *testregistry.Registry, args ...string) int {
	t.Helper()
	r.ResetCounts()
	d.mirror(args...).exits(0)
	return len(r.Requests())
}

func TestKilledBackupToADirectory(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	fillForKills(r)
	args := []string{"backup", "-o", "layout/", r.Host + "/team/app"}
	atKillPoints(t, clean(t, newDesk(t), r, args...), func(t *testing.T, n int) {
		d := newDesk(t)
		killed(t, d, r, n, args...)
		complete := make(map[string]bool)
		files, err := filepath.Glob(d.path("layout/blobs/sha256/*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			complete["sha256:"+filepath.Base(file)] = true
		}
		r.ResetCounts()
		d.mirror(args...).exits(0)
		noneFetched(t, r, complete)
		d.mirror("verify", "--input", "layout").exits(0)
		if d.exists("layout/ingest") {
			t.Error("ingest/ is left")
		}
	})
}

func TestKilledBackupToAnArchive(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	fillForKills(r)
	args := []string{"backup", "-o", "bundle.tgz", r.Host + "/team/app"}
	whole := newDesk(t)
	requests := clean(t, whole, r, args...)
	want, err := os.ReadFile(whole.path("bundle.tgz"))
	if err != nil {
		t.Fatal(err)
	}
	atKillPoints(t, requests, func(t *testing.T, n int) {
		d := newDesk(t)
		killed(t, d, r, n, args...)
		if d.exists("bundle.tgz") {
			t.Error("the file has its name before it is whole")
		}
		complete := inPartial(t, d.path("bundle.tgz.partial"))
		r.ResetCounts()
		d.mirror(args...).exits(0)
		noneFetched(t, r, complete)
		d.mirror("verify", "--input", "bundle.tgz").exits(0)
		if got, err := os.ReadFile(d.path("bundle.tgz")); err != nil || !bytes.Equal(got, want) {
			t.Errorf("the bundle is not that of a run that was not killed: %v", err)
		}
		if d.exists("bundle.tgz.partial") {
			t.Error("bundle.tgz.partial is left")
		}
	})
}

// inPartial returns the digests of the blobs that are whole in an archive that
// was being written.
func inPartial(t *testing.T, file string) map[string]bool {
	t.Helper()
	complete := make(map[string]bool)
	f, err := os.Open(file)
	if os.IsNotExist(err) {
		return complete
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	found, err := bundle.Recover(f, info.Size(), bundle.Gzip)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range found.Entries {
		complete["sha256:"+path.Base(e.Name)] = true
	}
	return complete
}

// noneFetched checks that no blob was asked for that was complete before.
func noneFetched(t *testing.T, r *testregistry.Registry, complete map[string]bool) {
	t.Helper()
	for request := range r.URLs() {
		if d := path.Base(request); strings.Contains(request, "/blobs/sha256:") && complete[d] {
			t.Errorf("%s was complete, and was fetched again", d)
		}
	}
}

func TestKilledRestore(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	fillForKills(source)
	shelf := newDesk(t)
	shelf.mirror("backup", "-o", "bundle.tgz", source.Host+"/team/app").exits(0)
	want := snapshot(t, source.Access()).Prefix("mirror")
	for name, o := range map[string]testregistry.Options{"referrers API": {RejectSparse: true}, "referrers tags": {NoReferrersAPI: true}} {
		t.Run(name, func(t *testing.T) {
			run := func(r *testregistry.Registry) []string {
				return []string{"restore", "--input", shelf.path("bundle.tgz"), r.Host + "/mirror"}
			}
			first := testregistry.New(t, o)
			atKillPoints(t, clean(t, shelf, first, run(first)...), func(t *testing.T, n int) {
				r := testregistry.New(t, o)
				d := newDesk(t)
				killed(t, d, r, n, run(r)...)
				snapshot(t, r.Access()) // what is visible is whole
				had := inTarget(source, r)
				r.ResetCounts()
				d.mirror(run(r)...).exits(0)
				sentOnlyNew(t, r, had)
				same(t, want, r.Access())
			})
		})
	}
}

// sentOnlyNew holds that a registry got no blob again that it had.
func sentOnlyNew(t *testing.T, r *testregistry.Registry, had map[string]bool) {
	t.Helper()
	for _, request := range r.Requests() {
		_, d, found := strings.Cut(request, "digest=")
		if d = strings.Replace(d, "%3A", ":", 1); found && strings.HasPrefix(request, "PUT ") && had[d] {
			t.Errorf("%s was there, and was sent again", d)
		}
	}
}

func TestKilledSync(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	fillForKills(source)
	want := snapshot(t, source.Access()).Prefix("mirror")
	run := func(r *testregistry.Registry) []string {
		return []string{"sync", "--buffer", "1MiB", "--target", r.Host + "/mirror", source.Host + "/team/app"}
	}
	first := testregistry.New(t, testregistry.Options{RejectSparse: true})
	atKillPoints(t, clean(t, newDesk(t), first, run(first)...), func(t *testing.T, n int) {
		r := testregistry.New(t, testregistry.Options{RejectSparse: true})
		d := newDesk(t)
		killed(t, d, r, n, run(r)...)
		snapshot(t, r.Access()) // what is visible is whole
		had := inTarget(source, r)
		r.ResetCounts()
		d.mirror(run(r)...).exits(0)
		sentOnlyNew(t, r, had)
		same(t, want, r.Access())
		if files := d.files(); len(files) > 0 {
			t.Errorf("on disk: %v", files)
		}
	})
}

// inTarget returns the digests of the blobs that a restore has brought so far.
func inTarget(source, target *testregistry.Registry) map[string]bool {
	had := make(map[string]bool)
	for request := range source.URLs() {
		d := digest.Digest(path.Base(request))
		if strings.Contains(request, "/blobs/sha256:") && target.Has("mirror/team/app", ocispec.Descriptor{Digest: d}) {
			had[d.String()] = true
		}
	}
	return had
}
