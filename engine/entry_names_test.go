package engine_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// failing returns the artifacts of a report that failed, by name.
func failing(report *engine.Report) map[string]error {
	all := make(map[string]error)
	for _, f := range report.Failures() {
		all[f.Reference] = f.Err
	}
	return all
}

func TestEntriesWithoutANameComeByDigest(t *testing.T) {
	h := newHandmade(t)
	one := h.entry(h.image("one", nil), "")
	index := h.entry(h.index(h.entry(h.image("child", nil), "")), "")
	h.restoreTo("team/app", func(kind string, target *testregistry.Registry, report *engine.Report, err error) {
		whole(t, report, err)
		if len(report.Artifacts) != 2 || !target.Has("team/app", one) || !target.Has("team/app", index) {
			t.Errorf("%s: %+v", kind, report.Artifacts)
		}
		for _, a := range report.Artifacts {
			if !strings.HasSuffix(a.Target, "/team/app@"+a.Digest.String()) {
				t.Errorf("%s: %s went to %s", kind, a.Reference, a.Target)
			}
		}
	})
	h.restoreTo("", func(kind string, target *testregistry.Registry, _ *engine.Report, err error) {
		var bare *engine.NameError
		if !errors.As(err, &bare) || total(target) > 0 {
			t.Errorf("%s, without a repository: %v", kind, err)
		}
	})
}

// TestEntriesWithoutANameBesideNamedOnes: they come along where the target names a
// repository for them, and fail alone where it does not.
func TestEntriesWithoutANameBesideNamedOnes(t *testing.T) {
	h := newHandmade(t)
	named := h.entry(h.image("named", nil), "source.example/x/y:v1")
	nameless := h.entry(h.image("nameless", nil), "")
	tagged := h.entry(h.image("tagged", nil), "v7")
	h.restoreTo("team/app", func(kind string, target *testregistry.Registry, report *engine.Report, err error) {
		whole(t, report, err)
		if !target.Has("team/app/x/y", named) || !target.Has("team/app", nameless) || !target.Has("team/app", tagged) {
			t.Errorf("%s: %+v", kind, report.Artifacts)
		}
	})
	h.restoreTo("", func(kind string, target *testregistry.Registry, report *engine.Report, err error) {
		fails := failing(report)
		var bare *engine.NameError
		if err != nil || len(fails) != 2 || !errors.As(fails[nameless.Digest.String()], &bare) || !errors.As(fails["v7"], &bare) {
			t.Errorf("%s: %v, %v", kind, fails, err)
		}
		if !target.Has("x/y", named) {
			t.Errorf("%s: the named one is not there", kind)
		}
	})
}

func TestEntriesWithoutANameOfALayoutSource(t *testing.T) {
	h := newHandmade(t)
	named := h.entry(h.image("named", nil), "source.example/x/y:v1")
	nameless := h.entry(h.index(h.entry(h.image("child", nil), "")), "")
	h.entry(h.image("signature", &nameless), "")
	layout := h.write()
	for _, out := range outputs {
		path := t.TempDir() + "/" + out
		report := backUp(t, path, layoutSource(t, layout, "reg.example/team/app"))
		want := []string{"team/app@" + nameless.Digest.String(), "x/y:v1"}
		if got := entries(t, path); !slices.Equal(got, want) || report.Referrers != 1 {
			t.Errorf("%s: has %v and %d referrers", out, got, report.Referrers)
		}
		path = t.TempDir() + "/" + out
		report, err := tryBackup(t, path, layoutSource(t, layout, ""), engine.BackupOptions{})
		fails := failing(report)
		var bare *engine.NameError
		if err != nil || len(fails) != 1 || !errors.As(fails[nameless.Digest.String()], &bare) {
			t.Errorf("%s: %v, %v", out, fails, err)
		}
		if report.Artifacts[0].Digest != named.Digest || report.Failures()[0].Operation() != "name" {
			t.Errorf("%s: %+v", out, report.Artifacts)
		}
	}
}

func TestLayoutSourceOfEntriesWithoutANameAlone(t *testing.T) {
	h := newHandmade(t)
	h.entry(h.image("one", nil), "")
	report, err := tryBackup(t, filepath.Join(t.TempDir(), "x.tgz"), layoutSource(t, h.write(), ""), engine.BackupOptions{})
	if !errors.Is(err, engine.ErrNothing) || len(report.Failures()) != 1 {
		t.Errorf("%v, %v", report.Artifacts, err)
	}
}

// TestReferrersOfWhatIsElsewhere: a referrer whose subject is not in the layout is not
// dropped.
func TestReferrersOfWhatIsElsewhere(t *testing.T) {
	h := newHandmade(t)
	h.entry(h.image("named", nil), "source.example/x/y:v1")
	elsewhere := newHandmade(t).image("elsewhere", nil)
	signature := h.entry(h.image("signature", &elsewhere), "")
	again := h.entry(h.image("again", &signature), "")
	h.restoreTo("team/app", func(kind string, target *testregistry.Registry, report *engine.Report, err error) {
		whole(t, report, err)
		if !target.Has("team/app", signature) || !target.Has("team/app", again) {
			t.Errorf("%s: %+v", kind, report.Artifacts)
		}
	})
}

func TestTagOfTheTargetNamesTheOnlyArtifact(t *testing.T) {
	h := newHandmade(t)
	image := h.annotated(h.image("image", nil), map[string]string{"kind": "dev.cosignproject.cosign/image"})
	h.annotated(h.image("signature", nil), map[string]string{"kind": "dev.cosignproject.cosign/sigs"})
	h.entry(h.image("sbom", &image), "")
	restore := func(h *handmade) (*testregistry.Registry, *engine.Report, error) {
		target := testregistry.New(t, testregistry.Options{})
		report, err := tryRestore(t, reopen(t, h.write()), target.Host+"/team/app", engine.RestoreOptions{Tag: "v1"})
		return target, report, err
	}
	target, report, err := restore(h)
	whole(t, report, err)
	want := []string{"sha256-" + image.Digest.Encoded() + ".sig", "v1"}
	if got := target.Tags("team/app"); !slices.Equal(got, want) || len(report.Artifacts) != 1 || report.Referrers != 2 {
		t.Errorf("tags %v, %+v", got, report.Artifacts)
	}
	two := newHandmade(t)
	two.entry(two.image("one", nil), "")
	two.entry(two.image("two", nil), "")
	named := newHandmade(t)
	named.entry(named.image("one", nil), "source.example/x/y:v1")
	for _, h := range []*handmade{two, named} {
		var retag *engine.RetagError
		if target, _, err := restore(h); !errors.As(err, &retag) || total(target) > 0 {
			t.Errorf("%v after %d requests", err, total(target))
		}
	}
}

// TestNameThatIsNoTagFailsItsArtifact, and no other.
func TestNameThatIsNoTagFailsItsArtifact(t *testing.T) {
	bad := []string{"app:v2", "x/app:v2", "quay.io/team/app", "-v", "a b", "Quay.io/Team/app:v1", "v1@" + digest.FromString("x").String(), strings.Repeat("v", 129)}
	h := newHandmade(t)
	good := h.entry(h.image("good", nil), "v1")
	for _, name := range bad {
		h.entry(h.image(name, nil), name)
	}
	check := func(kind string, report *engine.Report, err error) {
		t.Helper()
		fails := failing(report)
		for _, name := range bad {
			var named *engine.EntryNameError
			if !errors.As(fails[name], &named) {
				t.Errorf("%s: %s: %v", kind, name, fails[name])
			}
		}
		if err != nil || len(fails) != len(bad) || len(report.Artifacts) != len(bad)+1 {
			t.Errorf("%s: %d of %d failed: %v", kind, len(fails), len(report.Artifacts), err)
		}
	}
	h.restoreTo("team/app", func(kind string, target *testregistry.Registry, report *engine.Report, err error) {
		check(kind, report, err)
		if !target.Has("team/app", good) || !slices.Equal(target.Tags("team/app"), []string{"v1"}) {
			t.Errorf("%s: tags %v", kind, target.Tags("team/app"))
		}
	})
	for _, out := range outputs {
		path := t.TempDir() + "/" + out
		report, err := tryBackup(t, path, layoutSource(t, h.write(), "quay.io/team/app"), engine.BackupOptions{})
		check(out, report, err)
		if got := entries(t, path); !slices.Equal(got, []string{"team/app:v1"}) {
			t.Errorf("%s: has %v", out, got)
		}
	}
}

func TestFullNamesAreKeptBesideARepository(t *testing.T) {
	h := newHandmade(t)
	h.entry(h.image("full", nil), "docker.io/x/app:v2")
	h.entry(h.image("tag", nil), "v2")
	path := filepath.Join(t.TempDir(), "x.tgz")
	backUp(t, path, layoutSource(t, h.write(), "quay.io/team/app"))
	if got := entries(t, path); !slices.Equal(got, []string{"team/app:v2", "x/app:v2"}) {
		t.Errorf("%v", got)
	}
}

// TestNameOfOtherContentFailsItsArtifact: name@sha256:X over other content.
func TestNameOfOtherContentFailsItsArtifact(t *testing.T) {
	h := newHandmade(t)
	good := h.image("good", nil)
	h.entry(good, "source.example/x/app@"+good.Digest.String())
	h.entry(good, "source.example/x/app:v1@"+good.Digest.String())
	h.entry(good, "source.example/x/app@"+digest.SHA512.FromBytes(h.blobs[good.Digest]).String())
	wrong := []string{"source.example/x/app@" + digest.FromString("X").String(), "source.example/x/app:v2@" + digest.FromString("X").String()}
	for _, name := range wrong {
		h.entry(h.image("wrong", nil), name)
	}
	check := func(kind string, report *engine.Report, err error) {
		t.Helper()
		fails := failing(report)
		var named *oci.NameError
		if err != nil || len(fails) != 2 {
			t.Errorf("%s: %v, %v", kind, fails, err)
		}
		for name, err := range fails {
			if !errors.As(err, &named) {
				t.Errorf("%s: %s: %v", kind, name, err)
			}
		}
	}
	h.restoreTo("", func(kind string, target *testregistry.Registry, report *engine.Report, err error) {
		check(kind, report, err)
		if got := target.Tags("x/app"); !slices.Equal(got, []string{"v1"}) {
			t.Errorf("%s: tags %v", kind, got)
		}
	})
	report, err := tryBackup(t, filepath.Join(t.TempDir(), "x.tgz"), layoutSource(t, h.write(), ""), engine.BackupOptions{})
	check("a source", report, err)
}

func TestNameOfTwoManifestsFailsBoth(t *testing.T) {
	h := newHandmade(t)
	h.entry(h.image("one", nil), "source.example/x/app:v1")
	h.entry(h.image("two", nil), "source.example/x/app:v1")
	good := h.entry(h.image("good", nil), "source.example/x/app:v2")
	h.entry(good, "source.example/x/app:v2")
	h.restoreTo("", func(kind string, target *testregistry.Registry, report *engine.Report, err error) {
		if err != nil || len(report.Failures()) != 2 || !slices.Equal(target.Tags("x/app"), []string{"v2"}) {
			t.Errorf("%s: %v, %v; tags %v", kind, report.Failures(), err, target.Tags("x/app"))
		}
	})
}

// TestSignaturesByKindAreWhereCosignLooks: hauler and cosign save give them the name of
// their image.
func TestSignaturesByKindAreWhereCosignLooks(t *testing.T) {
	const ref, kind = ocispec.AnnotationRefName, "kind"
	for _, vendor := range []string{"dev.cosignproject.cosign/", "dev.hauler/"} {
		h := newHandmade(t)
		name := "source.example/x/app:v1"
		h.annotated(h.image("signature", nil), map[string]string{ref: name, kind: vendor + "sigs"})
		image := h.annotated(h.image("image", nil), map[string]string{ref: name, kind: vendor + "image"})
		h.annotated(h.image("attestation", nil), map[string]string{ref: name, kind: vendor + "atts"})
		h.annotated(h.image("sbom", &image), map[string]string{ref: name, kind: vendor + "referrers/" + image.Digest.Encoded()})
		of := "sha256-" + image.Digest.Encoded()
		want := []string{of + ".att", of + ".sig", "v1"}
		check := func(form string, target *testregistry.Registry, report *engine.Report) {
			t.Helper()
			if got := target.Tags("x/app"); !slices.Equal(got, want) || len(report.Artifacts) != 1 || report.Referrers != 3 {
				t.Errorf("%s, %s: tags %v, %d artifacts with %d referrers", vendor, form, got, len(report.Artifacts), report.Referrers)
			}
		}
		h.restoreTo("", func(form string, target *testregistry.Registry, report *engine.Report, err error) {
			whole(t, report, err)
			check(form, target, report)
		})
		path := filepath.Join(t.TempDir(), "x.tgz")
		backUp(t, path, layoutSource(t, h.write(), ""))
		target := testregistry.New(t, testregistry.Options{})
		check("by way of a bundle", target, restoreTo(t, path, target.Host))
	}
}
