package engine_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/parts"
)

// signedWorld is a registry with an index app:v1. One of its images is selected. The index and
// that image are signed by a key, and bad:v1 by another one.
type signedWorld struct {
	t               *testing.T
	r               *testregistry.Registry
	where           place
	key             signerKey
	index, selected ocispec.Descriptor
	signatures      []ocispec.Descriptor
	trust           engine.Trust
}

func newSignedWorld(t *testing.T, where place) *signedWorld {
	t.Helper()
	w := &signedWorld{t: t, r: testregistry.New(t, testregistry.Options{NoReferrersAPI: where == asReferrer}), where: where, key: newSigner(t)}
	w.selected = w.r.Image("app", "", testregistry.Random("amd64", 900_000))
	w.index = w.r.Index("app", "v1", onPlatform(w.selected, "amd64"), onPlatform(w.r.Image("app", "", testregistry.Random("arm64", 1000)), "arm64"))
	w.r.Image("bad", "v1", testregistry.Random("bad", 700_000))
	policy := w.key.policy("**")
	policy.Signed = engine.SignedImages
	w.trust = trusting(t, policy)
	return w
}

// sign adds the signatures.
func (w *signedWorld) sign() {
	w.t.Helper()
	for _, image := range []ocispec.Descriptor{w.index, w.selected} {
		w.signatures = append(w.signatures, w.key.sign(w.r, "app", image, w.where))
	}
	newSigner(w.t).sign(w.r, "bad", w.r.Image("bad", "v1", testregistry.Random("bad", 700_000)), w.where)
}

func (w *signedWorld) selections() []config.Selection {
	w.t.Helper()
	all := selections(w.t, w.r.Host+"/app:v1", w.r.Host+"/bad:v1")
	return slices.Concat(only(w.t, all[:1], "linux/amd64"), all[1:])
}

// backUp writes a backup, and checks what it says about signatures if it has policies.
func (w *signedWorld) backUp(path string, from []config.Selection, o engine.BackupOptions) {
	w.t.Helper()
	report, err := tryBackup(w.t, path, from, o)
	if o.Trust == nil {
		whole(w.t, report, err)
		return
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.check(report.Artifacts, true)
}

// check checks the reports of an artifact that passes and of one that fails.
func (w *signedWorld) check(reports []engine.ArtifactReport, hasBad bool) {
	w.t.Helper()
	good, bad := false, false
	for _, r := range reports {
		switch {
		case strings.HasSuffix(r.Reference, "/app:v1"):
			good = r.Err == nil && slices.Equal(r.SignedBy, []string{w.key.line()})
		case strings.HasSuffix(r.Reference, "/bad:v1"):
			bad = r.Err != nil && r.Operation() == engine.OpVerify
		}
	}
	if !good || bad != hasBad {
		w.t.Errorf("%+v", reports)
	}
}

// arrive verifies and restores an input without a network to the source.
func (w *signedWorld) arrive(open func() store.Input, target *testregistry.Registry, hasBad bool) {
	w.t.Helper()
	w.check(checkSignatures(w.t, open(), w.trust), hasBad)
	report, err := tryRestore(w.t, open(), target.Host, engine.RestoreOptions{Trust: w.trust})
	if err != nil {
		w.t.Fatal(err)
	}
	w.check(report.Artifacts, hasBad)
	for _, d := range slices.Concat(w.signatures, []ocispec.Descriptor{w.index, w.selected}) {
		if !target.Has("app", d) {
			w.t.Errorf("the target lacks %s", d.Digest)
		}
	}
	if len(target.Tags("bad")) > 0 {
		w.t.Error("the other one is in the target")
	}
}

// arriveAlone restores a delta to a target that has its base. The signatures that the delta
// leaves to the base are missing.
func (w *signedWorld) arriveAlone(open func() store.Input, base string, signed, hasBad bool) {
	w.t.Helper()
	target := testregistry.New(w.t, testregistry.Options{})
	in := openFor(w.t, base, false)
	defer in.Close()
	if _, err := tryRestore(w.t, in, target.Host, engine.RestoreOptions{Only: []string{"*/app*"}}); err != nil {
		w.t.Fatal(err)
	}
	if signed {
		w.arrive(open, target, hasBad)
		return
	}
	report, err := tryRestore(w.t, open(), target.Host, engine.RestoreOptions{Trust: w.trust})
	if !errors.Is(err, engine.ErrNothing) {
		w.t.Fatal(err)
	}
	for _, r := range slices.Concat(report.Artifacts, checkSignatures(w.t, open(), w.trust)) {
		if !isError[*engine.NeedsBaseError](r.Err) || r.Operation() != engine.OpVerify {
			w.t.Error(r.Err)
		}
	}
}

// signedForms are the forms in which a backup travels. Each writes one with the options of a
// backup, and returns the inputs that have all of it, and the one that leaves blobs to a base
// that stands at the target, "" if none does.
var signedForms = []struct {
	name  string
	alone bool // a delta has the signatures, even if the backup did not check them
	write func(w *signedWorld, o engine.BackupOptions) (inputs []string, delta, base string)
}{
	{name: "delta to a base with the signatures", write: func(w *signedWorld, o engine.BackupOptions) ([]string, string, string) {
		w.sign()
		return w.delta(o)
	}},
	{name: "delta with the signatures", alone: true, write: func(w *signedWorld, o engine.BackupOptions) ([]string, string, string) {
		inputs, delta, base := w.delta(o, w.sign)
		return inputs, delta, base
	}},
	{name: "merge", write: func(w *signedWorld, o engine.BackupOptions) ([]string, string, string) {
		inputs, _, _ := w.delta(o, w.sign)
		return []string{mergeTo(w.t, filepath.Join(w.t.TempDir(), "merged.tgz"), inputs...)}, "", ""
	}},
	{name: "merge to a directory", write: func(w *signedWorld, o engine.BackupOptions) ([]string, string, string) {
		w.sign()
		inputs, _, _ := w.delta(o)
		return []string{mergeTo(w.t, filepath.Join(w.t.TempDir(), "merged")+"/", inputs...)}, "", ""
	}},
	{name: "parts", write: func(w *signedWorld, o engine.BackupOptions) ([]string, string, string) {
		w.sign()
		path := filepath.Join(w.t.TempDir(), "bundle.tgz")
		report, err := backUpParts(w.t, w.t.Context(), path, 300_000, w.selections(), o)
		if err != nil {
			w.t.Fatal(err)
		}
		if o.Trust != nil {
			w.check(report.Artifacts, true)
		}
		return partPaths(w.t, incomplete(path)), "", ""
	}},
	{name: "layout of a bucket", write: func(w *signedWorld, o engine.BackupOptions) ([]string, string, string) {
		w.sign()
		path := testbucket.New(w.t).Path("layout/")
		w.backUp(path, w.selections(), o)
		return []string{path}, "", ""
	}},
	{name: "bundle in a bucket", write: func(w *signedWorld, o engine.BackupOptions) ([]string, string, string) {
		w.sign()
		path := testbucket.New(w.t).Path("bundle.tgz")
		w.backUp(path, w.selections(), o)
		return []string{path}, "", ""
	}},
	{name: "layout as a source", write: func(w *signedWorld, o engine.BackupOptions) ([]string, string, string) {
		w.sign()
		first, second := w.t.TempDir()+"/", filepath.Join(w.t.TempDir(), "bundle.tgz")
		w.backUp(first, w.selections(), engine.BackupOptions{})
		w.backUp(second, only(w.t, layoutSource(w.t, first, ""), "linux/amd64"), o)
		return []string{second}, "", ""
	}},
	{name: "bundle as a source", write: func(w *signedWorld, o engine.BackupOptions) ([]string, string, string) {
		w.sign()
		first, second := filepath.Join(w.t.TempDir(), "bundle.tgz"), w.t.TempDir()+"/"
		w.backUp(first, w.selections(), engine.BackupOptions{})
		w.backUp(second, only(w.t, layoutSource(w.t, first, ""), "linux/amd64"), o)
		return []string{second}, "", ""
	}},
}

// incomplete returns the name under which an output lies that is not whole: path itself, unless
// there is another one.
func incomplete(path string) string {
	if found, _ := filepath.Glob(parts.Pattern(path) + ".incomplete"); len(found) > 0 {
		return path + ".incomplete"
	}
	return path
}

// delta writes a base, changes the source and writes a delta to it.
func (w *signedWorld) delta(o engine.BackupOptions, change ...func()) (inputs []string, delta, base string) {
	w.t.Helper()
	folder := w.t.TempDir()
	delta, base = filepath.Join(folder, "delta.tgz"), filepath.Join(folder, "base.tgz")
	backUp(w.t, base, w.selections())
	for _, f := range change {
		f()
	}
	o.Base = (&trips{}).layout(w.t, base)
	w.backUp(delta, w.selections(), o)
	return []string{delta, base}, delta, base
}

// TestSignaturesInEveryForm: what was signed is accepted out of whatever form it came in, and what
// was not is refused, whether the backup had checked it or not.
func TestSignaturesInEveryForm(t *testing.T) {
	for _, form := range signedForms {
		for _, where := range []place{asTag, asReferrer, asBundle} {
			for _, checked := range []bool{false, true} {
				name := form.name + ", " + string(where)
				if checked {
					name += ", checked"
				}
				t.Run(name, func(t *testing.T) {
					w := newSignedWorld(t, where)
					var o engine.BackupOptions
					if checked {
						o.Trust = w.trust
					}
					inputs, delta, base := form.write(w, o)
					w.arrive(func() store.Input { return openInputs(t, false, inputs...) }, testregistry.New(t, testregistry.Options{}), !checked)
					if delta == "" {
						return
					}
					for _, pipe := range []bool{false, true} {
						w.arriveAlone(func() store.Input { return openInputs(t, pipe, delta) }, base, checked || form.alone, !checked)
					}
				})
			}
		}
	}
}
