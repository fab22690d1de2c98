package engine_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// Faults that do not pass: they belong to an artifact, and nothing else is lost.

// costsOne backs up three artifacts into every kind of output, and one fails: it is named, the others
// are whole, and when the fault is gone the same command completes the output.
func costsOne(t *testing.T, fault testregistry.Fault) {
	t.Helper()
	for _, out := range outputs {
		t.Run(out, func(t *testing.T) {
			r := testregistry.New(t, testregistry.Options{})
			for _, tag := range []string{"bad", "one", "two"} {
				r.Image("app", tag, testregistry.Random(tag, 900), []byte("shared"))
			}
			r.Fault(on(digest.FromBytes(testregistry.Random("bad", 900)).String(), fault))
			path := t.TempDir() + "/" + out
			c := newFalseClock()
			c.stall = 150 * time.Millisecond // six times, and twelve for an archive
			report, err := backupWith(t, c.faced(t, 4), path, selections(t, r.Host+"/app"), tight)
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
			report, err = backupWith(t, newFalseClock().faced(t, 4), path, selections(t, r.Host+"/app"), tight)
			whole(t, report, err)
			if got := entries(t, path); len(got) != 3 {
				t.Errorf("then the output has %v", got)
			}
		})
	}
}

func TestFlippedByteAlways(t *testing.T) { costsOne(t, testregistry.Flip(100)) }

func TestShortBodyAlways(t *testing.T) {
	costsOne(t, rewriteBody(func(body []byte) []byte { return body[:len(body)/2] }))
}

// TestLongBodyAlways: what stands behind a blob is never stored. A directory,
// which has the right bytes by then, is content with those.
func TestLongBodyAlways(t *testing.T) {
	for _, out := range outputs {
		r := testregistry.New(t, testregistry.Options{})
		r.Image("app", "long", []byte("long"))
		r.Image("app", "other", []byte("other"))
		r.Fault(on(digest.FromString("long").String(), rewriteBody(func(body []byte) []byte { return append(slices.Clone(body), 'x') })))
		path := t.TempDir() + "/" + out
		report, err := backupWith(t, newFalseClock().faced(t, 4), path, selections(t, r.Host+"/app"), tight)
		if err != nil {
			t.Fatal(err)
		}
		got, lost := entries(t, path), failed(report)
		if !slices.Contains(got, "app:other") || len(got)+len(lost) != 2 {
			t.Errorf("%s: the output has %v, and %v failed", out, got, lost)
		}
	}
}

func TestWrongContentLengthAlways(t *testing.T) { costsOne(t, testregistry.WrongLength(500)) }

// TestStallAlways is the one test that waits, as long as its stalls are.
func TestStallAlways(t *testing.T) { costsOne(t, testregistry.StallAt(5, nil)) }

// TestRegistryGoneForGood: one of two registries goes down in the middle of the
// blobs. The rest of its work fails at once, without its tries; the other's is
// not touched.
func TestRegistryGoneForGood(t *testing.T) {
	const artifacts, concurrency = 100, 8
	for _, out := range outputs {
		t.Run(out, func(t *testing.T) {
			dying, healthy := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
			fillMany(dying, "dying", artifacts)
			fillMany(healthy, "healthy", artifacts)
			blobs, after := 0, 0
			dying.Fault(func(req *http.Request, _ int) testregistry.Fault {
				if testregistry.Kind(req) == "GET blob" {
					blobs++
				}
				if blobs < 30 {
					return nil
				}
				after++
				return testregistry.Reset()
			})
			path := t.TempDir() + "/" + out
			report, err := backupWith(t, newFalseClock().faced(t, concurrency), path,
				selections(t, dying.Host+"/dying", healthy.Host+"/healthy"), tight)
			if err != nil {
				t.Fatal(err)
			}
			var kept int
			for _, name := range entries(t, path) {
				if strings.HasPrefix(name, "healthy:") {
					kept++
				}
			}
			if kept != artifacts {
				t.Errorf("%d artifacts of the healthy registry, want %d", kept, artifacts)
			}
			down := 0
			for _, a := range report.Failures() {
				if !strings.HasPrefix(a.Reference, dying.Host) {
					t.Errorf("failed: %s: %v", a.Reference, a.Err)
				}
				var given *transport.DownError
				if errors.As(a.Err, &given) && given.Registry == dying.Host {
					down++
				}
			}
			if down == 0 {
				t.Error("no message says that the registry is given up")
			}
			// Six tries of what was under way: eight requests that failed, what memory
			// lets a writer fetch ahead, what the plan asks for side by side.
			if most := (8 + 32 + 4*concurrency) * 6; after > most {
				t.Errorf("it was asked %d times after it was gone, want at most %d", after, most)
			}
		})
	}
}

// TestRestoreKilledBeforeReferrers stops a restore between a manifest and its
// referrers; the next one pushes what is missing, in every kind of registry.
func TestRestoreKilledBeforeReferrers(t *testing.T) {
	for _, o := range []testregistry.Options{{}, {NoReferrersAPI: true}} {
		for _, byDigest := range []bool{false, true} {
			source, target := testregistry.New(t, o), testregistry.New(t, o)
			image := source.Image("app", "v1", []byte("layer"))
			signature := source.Referrer("app", image, "application/vnd.example.signature", []byte("signature"))
			source.Referrer("app", signature, "application/vnd.example.stamp", []byte("stamp"))
			from := source.Reference("app", "v1")
			if byDigest {
				from = source.Reference("app", image.Digest.String())
			}
			path := filepath.Join(t.TempDir(), "bundle.tgz")
			report, err := backupWith(t, newFalseClock().faced(t, 4), path, selections(t, from), tight)
			whole(t, report, err)
			restoreUntil(t, path, target, func(req *http.Request) bool {
				return testregistry.Kind(req) == "PUT manifest" && strings.HasSuffix(req.URL.Path, signature.Digest.String())
			})
			if !target.Has("app", image) || target.Has("app", signature) || slices.Contains(target.Tags("app"), "v1") {
				t.Fatal("the restore was not stopped between the manifest and its referrers")
			}
			report, err = restoreWith(t, newFalseClock().faced(t, 4), path, false, target.Host)
			whole(t, report, err)
			extra := "app@" + image.Digest.String()
			want, err := testregistry.Snapshot(t.Context(), source.Access(), extra)
			if err != nil {
				t.Fatal(err)
			}
			got, err := testregistry.Snapshot(t.Context(), target.Access(), extra)
			if err != nil {
				t.Fatal(err)
			}
			if byDigest {
				want, got = want.Without("app:"), got.Without("app:")
			}
			for _, line := range testregistry.Diff(want, got) {
				t.Errorf("%+v, by digest %v: %s", o, byDigest, line)
			}
		}
	}
}

// restoreUntil restores to a target that is gone from the request on that is
// named: as if the process had been killed there.
func restoreUntil(t *testing.T, path string, target *testregistry.Registry, last func(*http.Request) bool) {
	t.Helper()
	var over atomic.Bool
	target.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if over.Load() || last(req) {
			over.Store(true)
			return testregistry.Status(http.StatusForbidden, "")
		}
		return nil
	})
	restoreWith(t, newFalseClock().faced(t, 4), path, false, target.Host)
	target.Fault(nil)
	if !over.Load() {
		t.Fatal("the restore never came to the request")
	}
}

// TestCorruptReferrer: what refers to an artifact is damaged beyond telling what that
// is. It is named, in the repository that it came from, and all else arrives.
func TestCorruptReferrer(t *testing.T) {
	for _, out := range []string{"layout/", "bundle.tar"} {
		source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
		signature := source.Referrer("app", source.Image("app", "v1", []byte("one")), "application/vnd.example.signature", []byte("signature"))
		source.Index("other", "v1", source.Image("other", "", []byte("two")))
		path := t.TempDir() + "/" + out
		backUp(t, path, selections(t, source.Host+"/app", source.Host+"/other"))
		file := path
		if out == "layout/" {
			file = filepath.Join(path, "blobs", "sha256", signature.Digest.Encoded())
		}
		damage(t, file, []byte(`"artifactType":"application/vnd.example.signature"`))
		report, err := restoreWith(t, newFalseClock().faced(t, 4), path, out == "bundle.tar", target.Host)
		if err != nil {
			t.Fatal(err)
		}
		var corrupt *engine.CorruptError
		fails := report.Failures()
		if len(fails) != 1 || !errors.As(fails[0].Err, &corrupt) || fails[0].Reference != source.Host+"/app@"+signature.Digest.String() {
			t.Errorf("%s: failed: %v", out, fails)
		}
		if !slices.Equal(target.Tags("app"), []string{"v1"}) || !slices.Equal(target.Tags("other"), []string{"v1"}) {
			t.Errorf("%s: the target has %v and %v", out, target.Tags("app"), target.Tags("other"))
		}
	}
}

// TestCorruptReferrerOfALayout: the same, of a layout that is backed up.
func TestCorruptReferrerOfALayout(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	signature := source.Referrer("app", source.Image("app", "v1", []byte("one")), "application/vnd.example.signature", []byte("signature"))
	source.Image("other", "v1", []byte("two"))
	layout := t.TempDir() + "/layout/"
	backUp(t, layout, selections(t, source.Host+"/app", source.Host+"/other"))
	damage(t, filepath.Join(layout, "blobs", "sha256", signature.Digest.Encoded()), []byte(`"artifactType":"application/vnd.example.signature"`))
	for _, out := range outputs {
		path := t.TempDir() + "/" + out
		report, err := backupWith(t, newFalseClock().faced(t, 4), path, []config.Selection{{Layout: layout, Referrers: true}}, tight)
		if err != nil {
			t.Fatal(err)
		}
		fails := report.Failures()
		if len(fails) != 1 || fails[0].Reference != source.Host+"/app@"+signature.Digest.String() || fails[0].Operation() != "read" {
			t.Errorf("%s: failed: %v", out, fails)
		}
		if got := entries(t, path); !slices.Equal(got, []string{"app:v1", "other:v1"}) {
			t.Errorf("%s: the output has %v", out, got)
		}
	}
}

// TestManyMissingBlobs: whatever the input lacks, the registry is not given up for it.
func TestManyMissingBlobs(t *testing.T) {
	source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	path := t.TempDir() + "/layout/"
	for i := range 30 {
		source.Image("app", fmt.Sprint("bad", i), testregistry.Random(fmt.Sprint(i), 900))
	}
	source.Image("app", "good", []byte("good"))
	backUp(t, path, selections(t, source.Host+"/app"))
	for i := range 30 {
		layer := digest.FromBytes(testregistry.Random(fmt.Sprint(i), 900))
		if err := os.Remove(filepath.Join(path, "blobs", "sha256", layer.Encoded())); err != nil {
			t.Fatal(err)
		}
	}
	report, err := restoreWith(t, newFalseClock().faced(t, 16), path, false, target.Host)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range report.Failures() {
		var corrupt *engine.CorruptError
		if !errors.As(a.Err, &corrupt) {
			t.Errorf("%s: %v", a.Reference, a.Err)
		}
	}
	if got := target.Tags("app"); !slices.Equal(got, []string{"good"}) {
		t.Errorf("the target has %v", got)
	}
}

// TestUploadRefused: the registry refuses bytes that were damaged on the
// way to it; nothing of that artifact is visible, the others arrive, and the
// next run completes it.
func TestUploadRefused(t *testing.T) {
	source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	bad := testregistry.Random("bad", 900)
	source.Image("app", "bad", bad)
	source.Image("app", "good", []byte("good"))
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	report, err := backupWith(t, newFalseClock().faced(t, 4), path, selections(t, source.Host+"/app"), tight)
	whole(t, report, err)
	target.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if req.URL.Query().Get("digest") == digest.FromBytes(bad).String() {
			return testregistry.Status(http.StatusBadRequest, "")
		}
		return nil
	})
	report, err = restoreWith(t, newFalseClock().faced(t, 4), path, false, target.Host+"/mirror")
	if err != nil {
		t.Fatal(err)
	}
	if got := failed(report); !slices.Equal(got, []string{"app:bad"}) {
		t.Errorf("failed: %v", got)
	}
	if got := target.Tags("mirror/app"); !slices.Equal(got, []string{"good"}) {
		t.Errorf("the target has the tags %v", got)
	}
	target.Fault(nil)
	report, err = restoreWith(t, newFalseClock().faced(t, 4), path, false, target.Host+"/mirror")
	whole(t, report, err)
	testregistry.CheckSame(t, source, target, "mirror")
}
