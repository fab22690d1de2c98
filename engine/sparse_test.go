package engine_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/plan"
	"github.com/oras-mirror/oras-mirror/engine/restore"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// listener keeps what a run says.
type listener struct {
	engine.Silent
	mu      sync.Mutex // guards notices
	notices []string
}

func (l *listener) Notice(message string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notices = append(l.notices, message)
}

// TestPlatformsOfADirectoryAdd: what a directory has of an artifact stays selected,
// whatever a later run asks for.
func TestPlatformsOfADirectoryAdd(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	fillPlatforms(r)
	sources := selections(t, r.Host+"/app:v1")
	for _, tt := range []struct {
		name string
		runs []string
		want string
	}{
		{"another", []string{"linux/arm64", "linux/amd64"}, "linux/amd64,linux/arm64"},
		{"the same", []string{"linux/arm64", "linux/arm64"}, "linux/arm64"},
		{"fewer", []string{"linux/amd64 linux/arm64", "linux/amd64"}, "linux/amd64,linux/arm64"},
		{"all, then one", []string{"", "linux/amd64"}, ""},
		{"one, then all", []string{"linux/amd64", ""}, ""},
		{"each in its turn", []string{"linux/amd64", "linux/arm64", "linux/arm/v7"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := t.TempDir() + "/layout/"
			for _, run := range tt.runs {
				backUp(t, path, only(t, sources, strings.Fields(run)...))
			}
			entries(t, path) // verifies
			in := reopen(t, path)
			e, _ := in.Index().Lookup(r.Host + "/app:v1")
			if e.Platforms != tt.want || e.Referrers != oci.ReferrersAll {
				t.Errorf("the entry is for %q, with referrers %s, want %q and all", e.Platforms, e.Referrers, tt.want)
			}
			target := testregistry.New(t, testregistry.Options{RejectSparse: tt.want == ""})
			restoreTo(t, path, target.Host+"/mirror")
			if tt.want == "" {
				testregistry.CheckSame(t, r, target, "mirror")
			}
			report := backUp(t, path, only(t, sources, strings.Fields(tt.runs[len(tt.runs)-1])...))
			if report.Unchanged != 1 {
				t.Error("once more is said to change something")
			}
		})
	}
}

// TestReferrersOfADirectoryStay: leaving referrers out does not take back those that
// are there.
func TestReferrersOfADirectoryStay(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	fillPlatforms(r)
	sources, path := selections(t, r.Host+"/app:v1"), t.TempDir()+"/layout/"
	backUp(t, path, sources)
	sources[0].Referrers = false
	backUp(t, path, sources)
	if e, _ := reopen(t, path).Index().Lookup(r.Host + "/app:v1"); e.Referrers != oci.ReferrersAll {
		t.Errorf("the entry has referrers %s", e.Referrers)
	}
}

// TestMovedTagLeavesNoFault: what refers to an artifact that has lost its name is no
// damage of the directory.
func TestMovedTagLeavesNoFault(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	path := t.TempDir() + "/layout/"
	for _, layer := range []string{"one", "two"} {
		r.Referrer("app", r.Image("app", "v1", []byte(layer)), "application/vnd.example.signature", []byte("signature of "+layer))
		backUp(t, path, selections(t, r.Host+"/app:v1"))
	}
	entries(t, path) // verifies
	target := testregistry.New(t, testregistry.Options{})
	if report := restoreTo(t, path, target.Host); report.Referrers != 1 {
		t.Errorf("%d referrers were restored", report.Referrers)
	}
}

func platformed(desc ocispec.Descriptor, os, architecture string) ocispec.Descriptor {
	desc.Platform = &ocispec.Platform{OS: os, Architecture: architecture}
	return desc
}

// TestPlatformsWithin: an index within an index is looked into.
func TestPlatformsWithin(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	amd64, arm64 := platformed(r.Image("app", "", []byte("a")), "linux", "amd64"), platformed(r.Image("app", "", []byte("b")), "linux", "arm64")
	inner := r.Index("app", "", amd64, arm64)
	manifest := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{inner}}
	manifest.SchemaVersion = 2
	r.Manifest("app", "v1", ocispec.MediaTypeImageIndex, manifest)
	r.Index("app", "v2", arm64)

	heard := new(listener)
	path := t.TempDir() + "/bundle.tgz"
	report, err := tryBackup(t, path, only(t, selections(t, r.Host+"/app:v1", r.Host+"/app:v2"), "linux/arm64", "linux/s390x", "linux/amd64"), engine.BackupOptions{Progress: heard})
	whole(t, report, err)
	want := []string{r.Host + "/app:v2 has no image for linux/amd64", r.Host + "/app:v1 has no image for linux/s390x, and neither have 1 others"}
	if !slices.Equal(heard.notices, want) {
		t.Errorf("it says %q, want %q", heard.notices, want)
	}
	report, err = tryBackup(t, path+"2", only(t, selections(t, r.Host+"/app:v1"), "linux/s390x"), engine.BackupOptions{})
	var missing *engine.PlatformError
	if !errors.Is(err, engine.ErrNothing) || !errors.As(report.Failures()[0].Err, &missing) {
		t.Fatalf("%v, %v", err, report.Failures())
	}
	if have := missing.Have; !slices.Equal(have, []string{"linux/amd64", "linux/arm64"}) {
		t.Errorf("there are said to be %v", have)
	}
}

// TestUnknownPlatform: what is for no platform and describes no image comes along.
func TestUnknownPlatform(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	r.Index("app", "v1", platformed(r.Image("app", "", []byte("a")), "linux", "amd64"), platformed(r.Image("app", "", []byte("b")), "linux", "arm64"),
		platformed(r.Image("app", "", []byte("provenance")), "unknown", "unknown"))
	path := t.TempDir() + "/bundle.tgz"
	backUp(t, path, only(t, selections(t, r.Host+"/app:v1"), "linux/amd64"))
	if _, err := reopen(t, path).Stat(r.Blob("app", "", []byte("provenance")).Digest); err != nil {
		t.Errorf("the provenance is not there: %v", err)
	}
	report, err := tryBackup(t, path+"2", only(t, selections(t, r.Host+"/app:v1"), "linux/s390x"), engine.BackupOptions{})
	var missing *engine.PlatformError
	if !errors.Is(err, engine.ErrNothing) || !errors.As(report.Failures()[0].Err, &missing) {
		t.Errorf("%v, %v", err, report.Failures())
	}
}

// TestSelectedTwice: the first selection holds, and it is said where they differ.
func TestSelectedTwice(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	fillPlatforms(r)
	sources := append(only(t, selections(t, r.Host+"/app:v1"), "linux/amd64"), selections(t, r.Host+"/app:v1", r.Host+"/app:v1")...)
	for i, origin := range []string{"mirror.yaml:4", "mirror.yaml:5", "mirror.yaml:6"} {
		sources[i].Origin = origin
	}
	heard := new(listener)
	report, err := tryBackup(t, t.TempDir()+"/bundle.tgz", sources, engine.BackupOptions{Progress: heard})
	whole(t, report, err)
	if len(report.Artifacts) != 1 || len(heard.notices) != 2 || !strings.HasSuffix(heard.notices[0], "using mirror.yaml:4, ignoring mirror.yaml:5") {
		t.Errorf("%d artifacts; it says %q", len(report.Artifacts), heard.notices)
	}
}

// TestReportedIndexIsTheRewrittenOne covers a layout and a source, with nested indexes.
func TestReportedIndexIsTheRewrittenOne(t *testing.T) {
	r, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{RejectSparse: true})
	amd64, arm64 := r.Image("app", "", []byte("amd64")), r.Image("app", "", []byte("arm64"))
	inner := r.Index("app", "inner", amd64, arm64)
	inner.Platform = &ocispec.Platform{OS: "unknown", Architecture: "unknown"}
	r.Index("app", "outer", inner)
	r.Index("app", "all", arm64)
	r.Image("app", "image", []byte("image"))
	sources := only(t, selections(t, r.Host+"/app"), "linux/amd64")
	path := t.TempDir() + "/bundle.tgz"
	report, err := tryBackup(t, path, sources, engine.BackupOptions{})
	whole(t, report, err)
	written, err := source.Rewritten(t.Context(), reopen(t, path))
	if err != nil {
		t.Fatal(err)
	}
	resolved, err := plan.ResolveWritten(t.Context(), client(0), sources, engine.BackupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	report, err = restore.Run(t.Context(), client(0), reopen(t, path), engine.RestoreOptions{
		Targets: []config.Target{{Registry: target.Host, PlatformMode: config.PlatformsRewrite}}})
	whole(t, report, err)
	if len(written) != 2 || len(resolved) != len(report.Artifacts) {
		t.Errorf("%d rewritten of a layout, %d resolved", len(written), len(resolved))
	}
	got := make(map[string]digest.Digest)
	for _, a := range report.Artifacts {
		got[a.Reference] = a.Digest
	}
	for name, d := range written {
		if got[name] != d {
			t.Errorf("of the layout %s is written as %s, the target got %s", name, d, got[name])
		}
	}
	for _, one := range resolved {
		if name := one.Reference.EntryName(); got[name] != one.Written || (written[name] != "") != (one.Written != one.Digest) {
			t.Errorf("of the source %s is written as %s, the target got %s", name, one.Written, got[name])
		}
	}
}
