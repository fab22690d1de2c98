package engine_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// outputs are the kinds of outputs of a backup: name and path below the folder of a test.
var outputs = []string{"layout/", "bundle.tgz", "bundle.tar"}

// failed returns the references that failed, without the registry, sorted.
func failed(report *engine.Report) []string {
	var names []string
	for _, a := range report.Failures() {
		_, name, _ := strings.Cut(a.Reference, "/")
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// entries returns the names in a layout, without the registry, and fails the
// test unless the layout is whole.
func entries(t *testing.T, path string) []string {
	t.Helper()
	in, err := store.OpenLayout(path, store.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	verified, err := store.Verify(t.Context(), in, verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range verified.Faults {
		t.Errorf("%s %s: %v", fault.Reference, fault.Digest, fault.Err)
	}
	var names []string
	for _, e := range in.Index().Entries {
		if _, name, ok := strings.Cut(e.Name, "/"); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// TestPartialFailure breaks one artifact of three in every way: the others are
// committed, and the one is named.
func TestPartialFailure(t *testing.T) {
	breaks := map[string]func(r *testregistry.Registry, bad string){
		"no such blob":        func(r *testregistry.Registry, bad string) { r.Fault(on(bad, testregistry.Status(404, ""))) },
		"forbidden blob":      func(r *testregistry.Registry, bad string) { r.Fault(on(bad, testregistry.Status(403, ""))) },
		"blob always flipped": func(r *testregistry.Registry, bad string) { r.Fault(on(bad, testregistry.Flip(7))) },
		"no such manifest":    func(r *testregistry.Registry, _ string) { r.Fault(on("manifests/bad", testregistry.Status(404, ""))) },
		"manifest is no JSON": func(r *testregistry.Registry, _ string) { r.Fault(on("manifests/bad", testregistry.Flip(0))) },
	}
	for name, breakIt := range breaks {
		for _, out := range outputs {
			t.Run(name+" "+out, func(t *testing.T) {
				r := testregistry.New(t, testregistry.Options{})
				shared := testregistry.Random("shared", 500)
				r.Image("app", "one", shared, testregistry.Random("1", 900))
				r.Image("app", "bad", shared, testregistry.Random("bad", 900))
				r.Image("app", "two", shared, testregistry.Random("2", 900))
				breakIt(r, "blobs/"+digest.FromBytes(testregistry.Random("bad", 900)).String())

				path := t.TempDir() + "/" + out
				report, err := tryBackup(t, path, selections(t, r.Host+"/app"), engine.BackupOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if got := failed(report); !slices.Equal(got, []string{"app:bad"}) {
					t.Errorf("failed: %v", got)
				}
				if got := entries(t, path); !slices.Equal(got, []string{"app:one", "app:two"}) {
					t.Errorf("the output has %v", got)
				}
				r.Fault(nil)
				backUp(t, path, selections(t, r.Host+"/app"))
				if got := entries(t, path); len(got) != 3 {
					t.Errorf("after a second run the output has %v", got)
				}
			})
		}
	}
}

// on makes every request whose path ends in suffix go wrong.
func on(suffix string, fault testregistry.Fault) func(*http.Request, int) testregistry.Fault {
	return func(req *http.Request, _ int) testregistry.Fault {
		if !strings.HasSuffix(req.URL.Path, suffix) {
			return nil
		}
		return fault
	}
}

// TestFlippedOnce: wrong bytes are fetched once more, and nothing is lost.
func TestFlippedOnce(t *testing.T) {
	for _, out := range outputs {
		t.Run(out, func(t *testing.T) {
			r := testregistry.New(t, testregistry.Options{})
			fill(r)
			r.Fault(testregistry.First(1, "GET blob", testregistry.Flip(3)))
			path := t.TempDir() + "/" + out
			backUp(t, path, selections(t, r.Host+"/team/app"))
			if got := entries(t, path); len(got) != 3 {
				t.Errorf("the output has %v", got)
			}
		})
	}
}

// TestOtherSource: what one registry lacks is taken from another that has it.
func TestOtherSource(t *testing.T) {
	for _, out := range outputs {
		t.Run(out, func(t *testing.T) {
			broken := testregistry.New(t, testregistry.Options{})
			good := testregistry.New(t, testregistry.Options{})
			layer := testregistry.Random("layer", 5000)
			broken.Image("app", "v1", layer)
			good.Image("app", "v1", layer)
			broken.Fault(on("blobs/"+digest.FromBytes(layer).String(), testregistry.Status(404, "")))
			path := t.TempDir() + "/" + out
			backUp(t, path, selections(t, broken.Host+"/app:v1", good.Host+"/app:v1"))
			if got := entries(t, path); len(got) != 2 {
				t.Errorf("the output has %v", got)
			}
		})
	}
}

// TestMissingReferrer: a signature that cannot be had leaves its subject in, and
// the artifact counts as failed.
func TestMissingReferrer(t *testing.T) {
	for _, out := range outputs {
		t.Run(out, func(t *testing.T) {
			r := testregistry.New(t, testregistry.Options{})
			image := r.Image("app", "v1", []byte("layer"))
			r.Referrer("app", image, "application/vnd.example.sbom", []byte("sbom"))
			r.Referrer("app", image, "application/vnd.example.signature", []byte("signature"))
			r.Fault(on("blobs/"+digest.FromString("signature").String(), testregistry.Status(404, "")))
			path := t.TempDir() + "/" + out
			report, err := tryBackup(t, path, selections(t, r.Host+"/app:v1"), engine.BackupOptions{})
			if err != nil {
				t.Fatal(err)
			}
			var missing *engine.ReferrersError
			if fails := report.Failures(); len(fails) != 1 || !errors.As(fails[0].Err, &missing) {
				t.Errorf("failed: %v", fails)
			}
			in, err := store.OpenLayout(path, store.OpenOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			if n := len(in.Index().Entries); n != 2 {
				t.Errorf("%d entries, want the image and its SBOM", n)
			}
			if e, _ := in.Index().Lookup(r.Host + "/app:v1"); e.Referrers != oci.ReferrersIncomplete {
				t.Errorf("referrers are recorded as %q", e.Referrers)
			}
		})
	}
}

// TestNothingWhole: nothing is written, and what was there stays.
func TestNothingWhole(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	r.Image("app", "v1", []byte("layer"))
	for _, out := range outputs {
		path := t.TempDir() + "/" + out
		report, err := tryBackup(t, path, selections(t, r.Host+"/app:none"), engine.BackupOptions{})
		if !errors.Is(err, engine.ErrNothing) || len(report.Failures()) != 1 {
			t.Errorf("%s: %v, %v", out, err, report.Failures())
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s exists: %v", out, err)
		}
	}
}

// TestIncompleteArchive: a bundle that lacks an artifact stands beside the one
// that it would have replaced.
func TestIncompleteArchive(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	r.Image("app", "v1", []byte("layer"))
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	backUp(t, path, selections(t, r.Host+"/app:v1"))
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	report, err := tryBackup(t, path, selections(t, r.Host+"/app:v1", r.Host+"/app:none"), engine.BackupOptions{})
	if err != nil || !report.Incomplete || report.Output != path+".incomplete" {
		t.Errorf("incomplete %v, output %s, %v", report.Incomplete, report.Output, err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the bundle has changed: %v", err)
	}
}

// TestInterrupted: nothing has the final name, and an old archive is the old one.
func TestInterrupted(t *testing.T) {
	for _, out := range outputs {
		t.Run(out, func(t *testing.T) {
			r := testregistry.New(t, testregistry.Options{})
			fillMany(r, "many", 20)
			ctx, cancel := context.WithCancel(t.Context())
			var blobs atomic.Int32
			r.Fault(func(req *http.Request, _ int) testregistry.Fault {
				if testregistry.Kind(req) == "GET blob" && blobs.Add(1) == 10 {
					cancel()
				}
				return nil
			})
			path := t.TempDir() + "/" + out
			destination, err := store.Create(path, store.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = backup.Run(ctx, client(4), selections(t, r.Host+"/many"), destination, engine.BackupOptions{Concurrency: 4})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("ended with %v", err)
			}
			if err := destination.Close(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(filepath.Join(path, "index.json")); err == nil {
				t.Error("there is an index.json")
			}
			if info, err := os.Stat(path); err == nil && !info.IsDir() {
				t.Error("the file has its final name")
			}
		})
	}
}

func TestCollision(t *testing.T) {
	one, two := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	one.Image("app", "v1", []byte("one"))
	two.Image("app", "v1", []byte("two"))
	sources := selections(t, one.Host+"/app:v1", two.Host+"/app:v1")
	mapper, err := config.NewMapper(nil)
	if err != nil {
		t.Fatal(err)
	}
	var collision *engine.CollisionError
	for _, out := range outputs {
		path := t.TempDir() + "/" + out
		if _, err := tryBackup(t, path, sources, engine.BackupOptions{Mapper: mapper}); !errors.As(err, &collision) {
			t.Errorf("%s: %v", out, err)
		}
		if _, err := os.Stat(filepath.Join(path, "index.json")); err == nil {
			t.Errorf("%s: something was committed", out)
		}
		backUp(t, path, sources)
		in, err := store.OpenLayout(path, store.OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		target := testregistry.New(t, testregistry.Options{})
		if _, err := tryRestore(t, in, target.Host, engine.RestoreOptions{}); !errors.As(err, &collision) {
			t.Errorf("restore of %s: %v", out, err)
		}
		if n := len(target.Requests()); n != 0 {
			t.Errorf("%d requests before the collision was found", n)
		}
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestConcurrency counts: as many requests in flight as allowed, and no more.
func TestConcurrency(t *testing.T) {
	for _, out := range outputs {
		for _, n := range []int{1, 5} {
			one, two := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
			fillMany(one, "many", 30)
			fillMany(two, "many", 30)
			path := t.TempDir() + "/" + out
			report, err := tryBackup(t, path, selections(t, one.Host+"/many", two.Host+"/many"), engine.BackupOptions{Concurrency: n})
			whole(t, report, err)
			if one.MaxInFlight() > n || two.MaxInFlight() > n {
				t.Errorf("%s: %d and %d requests in flight, want at most %d", out, one.MaxInFlight(), two.MaxInFlight(), n)
			}
		}
	}
}

// TestIndexWrites: index.json is written once, whatever the number of artifacts.
func TestIndexWrites(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	fillMany(r, "many", 100)
	dir, err := store.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	report, err := backup.Run(t.Context(), client(0), selections(t, r.Host+"/many"), dir, engine.BackupOptions{})
	whole(t, report, err)
	if n := dir.IndexWrites(); n != 1 {
		t.Errorf("index.json was written %d times", n)
	}
}

// TestSameBytes: the same plan gives the same bundle, whatever the concurrency.
func TestSameBytes(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	repos := fill(r)
	fillMany(r, "many", 50)
	var want digest.Digest
	for _, n := range []int{1, 3, 32} {
		path := filepath.Join(t.TempDir(), "bundle.tgz")
		report, err := tryBackup(t, path, selections(t, append(repos, r.Host+"/many")...), engine.BackupOptions{Concurrency: n})
		whole(t, report, err)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		got := digest.FromBytes(data)
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("with %d requests in flight the bundle is %s, want %s", n, got, want)
		}
	}
}
