package engine_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/oras-mirror/oras-mirror/config/lockfile"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/engine/base"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/delta"
)

// trips is a source that changes between two backups, and the backups of its first state.
type trips struct {
	source  *testregistry.Registry
	repos   []string
	folder  string
	lock    *lockfile.Lock
	first   string // bundle of the first state
	earlier string // a bundle of a part of it
	delta   string // the rest, as a delta to that
}

// newTrips backs up the first state of a source, then changes it: a tag moves, one is new on an
// old digest, one is gone, a signature is added, and a new repository shares a layer.
func newTrips(t *testing.T) *trips {
	t.Helper()
	w := &trips{source: testregistry.New(t, testregistry.Options{}), folder: t.TempDir()}
	r := w.source
	w.repos = fill(r)
	gone := r.Artifact("charts/chart", "gone", "application/vnd.example.gone", testregistry.Random("gone", 100))
	cache := r.Blob("team/app", "application/vnd.oci.image.layer.v1.tar+gzip", testregistry.Random("cache", 5000))
	r.Index("team/app", "cache", cache)

	w.earlier = filepath.Join(w.folder, "earlier.tgz")
	backUp(t, w.earlier, selections(t, w.repos[:1]...))
	w.first = filepath.Join(w.folder, "first.tgz")
	backUp(t, w.first, selections(t, w.repos...))
	w.delta = filepath.Join(w.folder, "delta1.tgz")
	w.backUpDelta(t, w.delta, w.repos, w.layout(t, w.earlier))
	f, err := backup.Forecast(t.Context(), client(0), selections(t, w.repos...), backup.Output{}, engine.BackupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if w.lock, err = f.Lock(); err != nil {
		t.Fatal(err)
	}

	r.Image("team/app", "old", testregistry.Random("a", 3000), testregistry.Random("b", 10)) // the digest of v1
	moved := r.Image("team/app", "v1", testregistry.Random("a", 3000), testregistry.Random("b2", 4000))
	r.Referrer("team/app", moved, "application/vnd.example.signature", []byte("of the moved tag"))
	r.Referrer("charts/chart", r.Artifact("charts/chart", "empty", "application/vnd.example.empty"), "application/vnd.example.signature", []byte("late"))
	r.Remove("charts/chart", gone)
	r.Image("team/new", "v1", testregistry.Random("a", 3000), testregistry.Random("d", 50), testregistry.Random("n", 2000))
	r.Image("team/new", "alone", testregistry.Random("alone", 700))
	r.Index("team/app", "cache2", cache, r.Blob("team/app", "application/vnd.oci.image.layer.v1.tar+gzip", testregistry.Random("cache2", 5000)))
	w.repos = append(w.repos, r.Host+"/team/new")
	return w
}

// layout returns layouts as the bases of a delta.
func (w *trips) layout(t *testing.T, paths ...string) *base.Bases {
	t.Helper()
	all := &base.Bases{Notice: func(text string) { t.Log(text) }}
	for _, path := range paths {
		l, err := store.OpenLayout(path, store.OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(all.AddLayout(t.Context(), l, filepath.Base(path)), l.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func (w *trips) backUpDelta(t *testing.T, path string, repos []string, on engine.Base) *engine.Report {
	t.Helper()
	report, err := tryBackup(t, path, selections(t, repos...), engine.BackupOptions{Base: on})
	whole(t, report, err)
	return report
}

// openInputs opens inputs as one: a single pipe, or layouts.
func openInputs(t *testing.T, pipe bool, paths ...string) store.Input {
	t.Helper()
	if pipe {
		return openFor(t, paths[0], true)
	}
	l, err := store.OpenUnion(paths, func(path string) (store.Layout, error) { return store.OpenLayout(path, store.OpenOptions{}) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func snapshot(t *testing.T, r *testregistry.Registry) testregistry.Contents {
	t.Helper()
	contents, err := testregistry.Snapshot(t.Context(), r.Access())
	if err != nil {
		t.Fatal(err)
	}
	return contents
}

func tagOf(i int) string { return "v" + string(rune('a'+i/26)) + string(rune('a'+i%26)) }

func deltaOf(t *testing.T, path string) *delta.Delta {
	t.Helper()
	delta, err := store.ReadDelta(openInputs(t, false, path).(store.Layout))
	if err != nil {
		t.Fatal(err)
	}
	return delta
}

// untar unpacks a bundle into a directory.
func untar(t *testing.T, path, to string) {
	t.Helper()
	for name, data := range unpack(t, path) {
		file := filepath.Join(to, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, data, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}
