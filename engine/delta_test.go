package engine_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/base"
	"github.com/oras-mirror/oras-mirror/engine/restore"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// baseKinds are the kinds of a base; each has the first state of the source.
var baseKinds = []struct {
	name string
	of   func(t *testing.T, w *trips) (engine.Base, []string) // with the inputs that have it
}{
	{"bundle", func(t *testing.T, w *trips) (engine.Base, []string) {
		return w.layout(t, w.first), []string{w.first}
	}},
	{"layout", func(t *testing.T, w *trips) (engine.Base, []string) {
		path := filepath.Join(w.folder, "first") + "/"
		untar(t, w.first, path)
		return w.layout(t, path), []string{path}
	}},
	{"lock", func(t *testing.T, w *trips) (engine.Base, []string) {
		all := &base.Bases{Notice: func(text string) { t.Log(text) }}
		if err := all.AddLock(t.Context(), client(0), w.lock, w.lock.Selections("mirror.lock.yaml"), "mirror.lock.yaml", engine.BackupOptions{}); err != nil {
			t.Fatal(err)
		}
		return all, []string{w.first}
	}},
	{"registry", func(t *testing.T, w *trips) (engine.Base, []string) {
		site := testregistry.New(t, testregistry.Options{})
		restoreTo(t, w.first, site.Host+"/mirror")
		all := &base.Bases{Notice: func(text string) { t.Log(text) }}
		target := base.Target{Target: config.Target{Registry: site.Host, Namespace: "mirror"}}
		if err := all.AddTarget(t.Context(), client(0), selections(t, w.repos...), target, engine.BackupOptions{}); err != nil {
			t.Fatal(err)
		}
		return all, []string{w.first}
	}},
	{"delta", func(t *testing.T, w *trips) (engine.Base, []string) {
		return w.layout(t, w.delta), []string{w.delta, w.earlier}
	}},
}

// TestDelta writes deltas to every kind of base in every form, and restores them: beside the base,
// alone, and together with it.
func TestDelta(t *testing.T) {
	w := newTrips(t)
	full := filepath.Join(w.folder, "second.tgz")
	backUp(t, full, selections(t, w.repos...))
	want := testregistry.New(t, testregistry.Options{})
	restoreTo(t, w.first, want.Host+"/mirror")
	restoreTo(t, full, want.Host+"/mirror")
	for _, kind := range baseKinds {
		on, inputs := kind.of(t, w)
		forms := []string{"directory", "tgz", "pipe"}
		if kind.name == "bundle" {
			forms = append(forms, "tar", "tar pipe")
		}
		for _, form := range forms {
			t.Run(kind.name+" "+form, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), map[string]string{"directory": "delta/", "tgz": "delta.tgz", "tar": "delta.tar", "pipe": "delta.tgz", "tar pipe": "delta.tar"}[form])
				if form == "directory" {
					path += "/"
				}
				report := w.backUpDelta(t, path, w.repos, on)
				if report.LeftBlobs == 0 || report.Left < 3000+5000 {
					t.Errorf("%d bytes in %d blobs are left to the base", report.Left, report.LeftBlobs)
				}
				pipe := strings.HasSuffix(form, "pipe")
				checkDeltaBesideBase(t, w, path, pipe, snapshot(t, want))
				checkDeltaAlone(t, path, pipe)
				if !pipe {
					target := testregistry.New(t, testregistry.Options{RejectSparse: true, RequireSubject: true})
					report, err := tryRestore(t, openInputs(t, false, append([]string{path}, inputs...)...), target.Host+"/mirror", engine.RestoreOptions{})
					whole(t, report, err)
					testregistry.CheckSame(t, w.source, target, "mirror")
				}
			})
		}
	}
}

// checkDeltaBesideBase restores a delta to a target that has its base.
func checkDeltaBesideBase(t *testing.T, w *trips, path string, pipe bool, want testregistry.Contents) {
	t.Helper()
	target := testregistry.New(t, testregistry.Options{RejectSparse: true, RequireSubject: true})
	restoreTo(t, w.first, target.Host+"/mirror")
	in := openInputs(t, pipe, path)
	defer in.Close()
	report, err := tryRestore(t, in, target.Host+"/mirror", engine.RestoreOptions{})
	whole(t, report, err)
	for _, line := range testregistry.Diff(want, snapshot(t, target)) {
		t.Error("beside its base: " + line)
	}
}

// checkDeltaAlone restores a delta to a target without its base: what needs the base is named, and
// the rest arrives.
func checkDeltaAlone(t *testing.T, path string, pipe bool) {
	t.Helper()
	target := testregistry.New(t, testregistry.Options{})
	in := openInputs(t, pipe, path)
	defer in.Close()
	report, err := tryRestore(t, in, target.Host+"/mirror", engine.RestoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	arrived := 0
	for _, a := range report.Artifacts {
		var needs *engine.NeedsBaseError
		switch {
		case a.Err == nil:
			arrived++
		case !errors.As(a.Err, &needs):
			t.Errorf("%s: %v, want an error that names the base", a.Reference, a.Err)
		}
	}
	if arrived == 0 || arrived == len(report.Artifacts) {
		t.Errorf("%d of %d artifacts arrived", arrived, len(report.Artifacts))
	}
	snapshot(t, target) // fails if a tag is there without its blobs
}

// TestDeltaHoldsOnlyWhatChanged backs up 100 artifacts after 3 of them changed one layer.
func TestDeltaHoldsOnlyWhatChanged(t *testing.T) {
	source, folder := testregistry.New(t, testregistry.Options{}), t.TempDir()
	common := testregistry.Random("common", 50000)
	for i := range 100 {
		source.Image("team/app", tagOf(i), common, testregistry.Random("layer"+tagOf(i), 40000))
	}
	all := selections(t, source.Host+"/team/app")
	first, delta := filepath.Join(folder, "first.tgz"), filepath.Join(folder, "delta.tgz")
	backUp(t, first, all)
	var changed []digest.Digest
	for i := range 3 {
		layer := testregistry.Random("changed"+tagOf(i), 800000)
		source.Image("team/app", tagOf(i), common, layer)
		changed = append(changed, digest.FromBytes(layer))
	}
	w := &trips{}
	report, err := tryBackup(t, delta, all, engine.BackupOptions{Base: w.layout(t, first)})
	whole(t, report, err)

	sum, held := int64(0), deltaOf(t, delta).Held()
	files := unpack(t, delta)
	for _, d := range held {
		sum += int64(len(files["blobs/sha256/"+d.Encoded()]))
	}
	for _, e := range openInputs(t, false, delta).Index().Entries {
		sum += e.Size
	}
	if len(held) != 6 || !slices.ContainsFunc(held, func(d digest.Digest) bool { return d == changed[0] }) {
		t.Errorf("the delta has the blobs %v, want 3 layers and 3 configs", held)
	}
	info, err := os.Stat(delta)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > sum+sum/100 {
		t.Errorf("the delta has %d bytes, want at most 1 %% more than %d", info.Size(), sum)
	}

	target := testregistry.New(t, testregistry.Options{})
	restoreTo(t, first, target.Host)
	target.ResetCounts()
	report, err = tryRestore(t, openInputs(t, false, delta), target.Host, engine.RestoreOptions{})
	whole(t, report, err)
	if got := target.Count("PUT upload"); got != 6 {
		t.Errorf("%d blobs were sent, want 6: %v", got, target.Counts())
	}
}

// TestHomesOfADelta mounts a layer that a new repository shares with one that the delta lacks.
func TestHomesOfADelta(t *testing.T) {
	source, folder := testregistry.New(t, testregistry.Options{}), t.TempDir()
	layer := testregistry.Random("shared", 3000)
	source.Image("team/old", "v1", layer)
	first, delta := filepath.Join(folder, "first.tgz"), filepath.Join(folder, "delta.tgz")
	backUp(t, first, selections(t, source.Host+"/team/old"))
	source.Image("team/new", "v1", layer, testregistry.Random("own", 500))
	w := &trips{}
	report, err := tryBackup(t, delta, selections(t, source.Host+"/team/new"), engine.BackupOptions{Base: w.layout(t, first)})
	whole(t, report, err)
	shared := ocispec.Descriptor{Digest: digest.FromBytes(layer), Size: int64(len(layer))}
	if got := deltaOf(t, delta).Repository(shared.Digest); got != source.Host+"/team/old" {
		t.Errorf("the delta says that the layer is in %q", got)
	}
	for _, mounts := range []bool{true, false} {
		target := testregistry.New(t, testregistry.Options{NoMount: !mounts})
		restoreTo(t, first, target.Host+"/mirror")
		restoreTo(t, delta, target.Host+"/mirror")
		if !target.Has("mirror/team/new", shared) {
			t.Error("the new repository lacks the layer")
		}
	}
}

// TestPartOfADelta restores one repository, whose layer is in that of another: in one that this run
// does not restore.
func TestPartOfADelta(t *testing.T) {
	source, dir := testregistry.New(t, testregistry.Options{}), t.TempDir()
	layer := testregistry.Random("shared", 3000)
	source.Image("team/old", "v1", layer)
	first, delta := filepath.Join(dir, "first.tgz"), filepath.Join(dir, "delta.tgz")
	repos := []string{source.Host + "/team/old", source.Host + "/team/new"}
	backUp(t, first, selections(t, repos[0]))
	source.Image("team/new", "v1", layer, testregistry.Random("own", 500))
	w := &trips{}
	w.backUpDelta(t, delta, repos, w.layout(t, first))
	target := testregistry.New(t, testregistry.Options{})
	restoreTo(t, first, target.Host+"/mirror")
	report, err := tryRestore(t, openInputs(t, false, delta), target.Host+"/mirror", engine.RestoreOptions{Only: []string{"**/team/new"}})
	whole(t, report, err)
	if !target.Has("mirror/team/new", ocispec.Descriptor{Digest: digest.FromBytes(layer), Size: int64(len(layer))}) {
		t.Error("the new repository lacks the layer")
	}
}

// TestDeltaOfTwoBases leaves out what either base has.
func TestDeltaOfTwoBases(t *testing.T) {
	source, dir := testregistry.New(t, testregistry.Options{}), t.TempDir()
	source.Image("team/one", "v1", []byte("one"))
	source.Image("team/two", "v1", []byte("two"))
	one, two, delta := filepath.Join(dir, "one.tgz"), filepath.Join(dir, "two.tgz"), filepath.Join(dir, "delta.tgz")
	backUp(t, one, selections(t, source.Host+"/team/one"))
	backUp(t, two, selections(t, source.Host+"/team/two"))
	source.Image("team/new", "v1", []byte("one"), []byte("two"), []byte("new"))
	repos := []string{source.Host + "/team/one", source.Host + "/team/two", source.Host + "/team/new"}
	w := &trips{}
	w.backUpDelta(t, delta, repos, w.layout(t, one, two))
	if got := held(t, delta); len(got) != 2 {
		t.Errorf("the delta has %v, want a config and a layer", got)
	}
	target := testregistry.New(t, testregistry.Options{})
	report, err := tryRestore(t, openInputs(t, false, two, delta, one), target.Host+"/mirror", engine.RestoreOptions{})
	whole(t, report, err)
	testregistry.CheckSame(t, source, target, "mirror")
}

// TestRequestsOfADelta compares the requests of a restore with those of its forecast.
func TestRequestsOfADelta(t *testing.T) {
	w := newTrips(t)
	path := filepath.Join(w.folder, "delta.tgz")
	w.backUpDelta(t, path, w.repos, w.layout(t, w.first))
	target := testregistry.New(t, testregistry.Options{})
	restoreTo(t, w.first, target.Host+"/mirror")
	target.ResetCounts()
	to := config.Target{Registry: target.Host, Namespace: "mirror"}
	f, err := restore.Forecast(t.Context(), client(0), openInputs(t, false, path).(store.Layout), engine.RestoreOptions{Targets: []config.Target{to}})
	if err != nil {
		t.Fatal(err)
	}
	target.ResetCounts()
	report := restoreTo(t, path, target.Host+"/mirror")
	sent := 0
	for _, n := range target.Counts() {
		sent += n
	}
	if sent != f.Requests || report.Moved != f.Transfer {
		t.Errorf("%d requests and %d bytes, the forecast says %d and %d: %v", sent, report.Moved, f.Requests, f.Transfer, target.Counts())
	}
}
