package engine_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/base"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// pair is a source with one image in a base, and another image that shares a layer with it.
type pair struct {
	source *testregistry.Registry
	first  string // the directory with the base
	shared []byte
	own    []byte
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{source: testregistry.New(t, testregistry.Options{}), first: filepath.Join(t.TempDir(), "first") + "/",
		shared: testregistry.Random("shared", 3000), own: testregistry.Random("own", 500)}
	p.source.Image("app", "v1", p.shared)
	backUp(t, p.first, selections(t, p.source.Host+"/app"))
	p.source.Image("app", "v2", p.shared, p.own)
	return p
}

// delta writes a delta to the base.
func (p *pair) delta(t *testing.T, path string) {
	t.Helper()
	(&trips{}).backUpDelta(t, path, []string{p.source.Host + "/app"}, (&trips{}).layout(t, p.first))
}

func blobFile(layout string, data []byte) string {
	return filepath.Join(layout, "blobs", "sha256", digest.FromBytes(data).Encoded())
}

func held(t *testing.T, path string) []digest.Digest { return deltaOf(t, path).Held() }

// TestBaseThatLacksABlob leaves out only blobs that the base has and needs.
func TestBaseThatLacksABlob(t *testing.T) {
	shared := func(p *pair) []byte { return p.shared }
	own := func(p *pair) []byte { return p.own }
	for name, tt := range map[string]struct {
		change func(p *pair) error // of the base
		held   func(p *pair) []byte
		fault  string
	}{
		"it is gone": {func(p *pair) error { return os.Remove(blobFile(p.first, p.shared)) }, shared,
			"the delta lacks the blob that its base lacks, too"},
		"it has another size": {func(p *pair) error { return os.Truncate(blobFile(p.first, p.shared), 10) }, shared,
			"the delta lacks the blob that is damaged in its base"},
		"nothing needs it": {func(p *pair) error { return os.WriteFile(blobFile(p.first, p.own), p.own, 0o644) }, own,
			"the delta lacks a blob that a restore of its base does not bring"},
		"a manifest is damaged": {func(p *pair) error {
			return os.Truncate(filepath.Join(p.first, "blobs", "sha256", openInputs(t, false, p.first).Index().Entries[0].Digest.Encoded()), 10)
		}, shared, "the delta lacks a blob that the base cannot name"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t)
			if err := tt.change(p); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "delta.tgz")
			p.delta(t, path)
			if !slices.Contains(held(t, path), digest.FromBytes(tt.held(p))) {
				t.Error(tt.fault)
			}
		})
	}
}

// TestBaseThatChanges ends a backup whose base is not what it was, before the output has its name.
func TestBaseThatChanges(t *testing.T) {
	p := newPair(t)
	for _, name := range []string{"delta.tgz", "delta/"} {
		path := filepath.Join(t.TempDir(), name)
		if name == "delta/" {
			path += "/"
		}
		on, l := &base.Bases{}, openInputs(t, false, p.first).(store.Layout)
		if err := on.AddLayout(t.Context(), l, "first"); err != nil {
			t.Fatal(err)
		}
		on.Watch("first", func(context.Context) (bool, error) { return true, nil })
		_, err := tryBackup(t, path, selections(t, p.source.Host+"/app"), engine.BackupOptions{Base: on})
		var changed *engine.BaseChangedError
		if !errors.As(err, &changed) || changed.Base != "first" {
			t.Errorf("%s: got %v, want an error that names the base", name, err)
		}
		if _, err := store.OpenLayout(path, store.OpenOptions{}); err == nil {
			t.Errorf("%s: the output is there", name)
		}
		p.delta(t, path)
		if got := held(t, path); len(got) != 2 {
			t.Errorf("%s: resumed, it has %d blobs, want a config and a layer", name, len(got))
		}
	}
}

// everything claims to have every blob.
type everything struct{ base.Bases }

func (*everything) Names() []string        { return []string{"monday.tgz"} }
func (*everything) Roots() []digest.Digest { return []digest.Digest{digest.FromString("monday")} }

func (*everything) Homes(ocispec.Descriptor) ([]string, bool) { return nil, true }

// putWrongSize adds an image that names a layer with another size than it has.
func putWrongSize(r *testregistry.Registry, repo, tag string, layer []byte) {
	config := r.Blob(repo, ocispec.MediaTypeImageConfig, []byte("{}"))
	desc := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayerGzip, Digest: digest.FromBytes(layer), Size: int64(len(layer)) + 1}
	r.Manifest(repo, tag, ocispec.MediaTypeImageManifest, ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, Config: config, Layers: []ocispec.Descriptor{desc}})
}

// TestWrongSizeInADelta names a blob of the base with another size: that artifact fails, in the
// backup if it can tell, else in the restore, and the others do not.
func TestWrongSizeInADelta(t *testing.T) {
	p := newPair(t)
	putWrongSize(p.source, "app", "wrong", p.shared)
	all := selections(t, p.source.Host+"/app")
	path := filepath.Join(t.TempDir(), "delta") + "/"
	report, err := tryBackup(t, path, all, engine.BackupOptions{Base: (&trips{}).layout(t, p.first)})
	if err != nil {
		t.Fatal(err)
	}
	if got := failed(report); len(got) != 1 || got[0] != "app:wrong" {
		t.Errorf("%v failed, want app:wrong", got)
	}

	path = filepath.Join(t.TempDir(), "claims.tgz")
	report, err = tryBackup(t, path, all, engine.BackupOptions{Base: &everything{}})
	whole(t, report, err)
	target := testregistry.New(t, testregistry.Options{})
	restoreTo(t, p.first, target.Host)
	target.Image("app", "v0", p.shared, p.own) // so that only the wrong size is at fault
	for _, inputs := range [][]string{{path}, {path, p.first}} {
		report, err = tryRestore(t, openInputs(t, false, inputs...), target.Host, engine.RestoreOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range report.Artifacts {
			if strings.HasSuffix(a.Reference, ":wrong") != (a.Err != nil) && !strings.HasSuffix(a.Reference, ":v2") {
				t.Errorf("%v: %s: %v", inputs, a.Reference, a.Err)
			}
		}
	}
	v, err := store.Verify(t.Context(), openInputs(t, false, path).(store.Layout), verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(v.Faults, func(f verify.Fault) bool {
		var sizes *verify.SizesError
		return f.Digest == digest.FromBytes(p.shared) && errors.As(f.Err, &sizes)
	}) {
		t.Errorf("verify found %v, want two sizes of one blob", v.Faults)
	}
}

// TestDamagedDelta removes a blob of a delta, and its list.
func TestDamagedDelta(t *testing.T) {
	p := newPair(t)
	path := filepath.Join(t.TempDir(), "delta") + "/"
	p.delta(t, path)
	target := testregistry.New(t, testregistry.Options{})
	restoreTo(t, p.first, target.Host)

	if err := os.Remove(blobFile(path, p.own)); err != nil {
		t.Fatal(err)
	}
	v, err := store.Verify(t.Context(), openInputs(t, false, path).(store.Layout), verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Faults) != 1 || v.Faults[0].Digest != digest.FromBytes(p.own) {
		t.Errorf("verify found %v, want the blob that is missing", v.Faults)
	}
	report, err := tryRestore(t, openInputs(t, false, path), target.Host, engine.RestoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range report.Failures() {
		if needs, is := errors.AsType[*engine.NeedsBaseError](a.Err); is {
			t.Errorf("the base is blamed for a blob of the delta: %v", needs)
		}
	}
	if got := failed(report); len(got) != 1 {
		t.Errorf("%v failed, want app:v2", got)
	}

	list := deltaOf(t, path).Lists[0]
	if err := os.Remove(filepath.Join(path, "blobs", "sha256", list.Encoded())); err != nil {
		t.Fatal(err)
	}
	if v, err = store.Verify(t.Context(), openInputs(t, false, path).(store.Layout), verify.Options{}); err != nil {
		t.Fatal(err)
	}
	if len(v.Faults) != 1 || v.Faults[0].Digest != list {
		t.Errorf("verify found %v, want the list that is missing", v.Faults)
	}
	target.Image("app", "v0", p.own) // now the target has the blob
	restoreTo(t, path, target.Host)

	p.delta(t, path) // which repairs it
	if v, err = store.Verify(t.Context(), openInputs(t, false, path).(store.Layout), verify.Options{}); err != nil {
		t.Fatal(err)
	}
	if len(v.Faults) > 0 || v.Left == 0 || !slices.Contains(held(t, path), digest.FromBytes(p.own)) {
		t.Errorf("after another backup verify found %v, and %d blobs left", v.Faults, v.Left)
	}
}

// TestTargetFalselyReportsABlobOfTheBase restores a delta to a target that claims to have its base.
func TestTargetFalselyReportsABlobOfTheBase(t *testing.T) {
	p := newPair(t)
	p.source.Image("other", "v1", testregistry.Random("other", 100))
	path := filepath.Join(t.TempDir(), "delta.tgz")
	repos := []string{p.source.Host + "/app", p.source.Host + "/other"}
	(&trips{}).backUpDelta(t, path, repos, (&trips{}).layout(t, p.first))
	target := testregistry.New(t, testregistry.Options{})
	target.Fault(on(digest.FromBytes(p.shared).String(), answers(http.StatusOK, "Content-Length", strconv.Itoa(len(p.shared)))))
	report, err := tryRestore(t, openInputs(t, false, path), target.Host, engine.RestoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range report.Failures() {
		if _, is := errors.AsType[*engine.NeedsBaseError](a.Err); !is {
			t.Errorf("%s: %v, want an error that names the base", a.Reference, a.Err)
		}
	}
	if got := failed(report); !slices.Equal(got, []string{"app:v1", "app:v2"}) {
		t.Errorf("%v failed, want app:v1 and app:v2", got)
	}
}
