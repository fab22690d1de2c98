package engine_test

import (
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/filter"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/prune"
	"github.com/oras-mirror/oras-mirror/engine/restore"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// fillPlatforms puts an index of three platforms, with an attestation and a
// signature for each image and a signature for the index.
func fillPlatforms(r *testregistry.Registry) ocispec.Descriptor {
	var children []ocispec.Descriptor
	for _, name := range []string{"linux/amd64", "linux/arm64", "linux/arm/v7"} {
		image := r.Image("app", "", []byte("layer of "+name))
		part := strings.Split(name+"/", "/")
		image.Platform = &ocispec.Platform{OS: part[0], Architecture: part[1], Variant: part[2]}
		attestation := r.Image("app", "", []byte("attestation of "+name))
		attestation.Platform = &ocispec.Platform{OS: "unknown", Architecture: "unknown"}
		attestation.Annotations = map[string]string{
			"vnd.docker.reference.type":   "attestation-manifest",
			"vnd.docker.reference.digest": image.Digest.String(),
		}
		r.Referrer("app", image, "application/vnd.example.signature", []byte("signature of "+name))
		children = append(children, image, attestation)
	}
	index := r.Index("app", "v1", children...)
	r.Referrer("app", index, "application/vnd.example.signature", []byte("signature of the index"))
	return index
}

func only(t *testing.T, all []config.Selection, platforms ...string) []config.Selection {
	t.Helper()
	for i := range all {
		all[i].Platforms = nil
		for _, name := range platforms {
			p, err := config.ParsePlatform(name)
			if err != nil {
				t.Fatal(err)
			}
			all[i].Platforms = append(all[i].Platforms, p)
		}
	}
	return all
}

func TestPlatforms(t *testing.T) {
	for _, out := range outputs {
		t.Run(out, func(t *testing.T) {
			r := testregistry.New(t, testregistry.Options{})
			index := fillPlatforms(r)
			path := t.TempDir() + "/" + out
			sources := selections(t, r.Host+"/app:v1")
			report := backUp(t, path, only(t, sources, "linux/arm64"))
			if report.Referrers != 2 {
				t.Errorf("%d referrers, want those of the index and of one image", report.Referrers)
			}
			in, err := store.OpenLayout(path, store.OpenOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			e, _ := in.Index().Lookup(r.Host + "/app:v1")
			if e.Digest != index.Digest || e.Platforms != "linux/arm64" {
				t.Errorf("the entry is %s for %q", e.Digest, e.Platforms)
			}
			entries(t, path) // verifies

			sparse := testregistry.New(t, testregistry.Options{})
			report, err = tryRestore(t, in, sparse.Host, engine.RestoreOptions{})
			whole(t, report, err)
			if !sparse.Has("app", index) {
				t.Error("the index did not keep its digest")
			}

			strict := testregistry.New(t, testregistry.Options{RejectSparse: true})
			report, err = tryRestore(t, in, strict.Host, engine.RestoreOptions{})
			var refused *engine.SparseError
			if fails := report.Failures(); !errors.Is(err, engine.ErrNothing) || len(fails) != 1 || !errors.As(fails[0].Err, &refused) {
				t.Errorf("%v: %v", err, fails)
			}

			target, err := config.ParseTarget(strict.Host + "/rewritten")
			if err != nil {
				t.Fatal(err)
			}
			target.PlatformMode = "rewrite"
			report, err = restore.Run(t.Context(), client(0), in, engine.RestoreOptions{Targets: []config.Target{target}})
			whole(t, report, err)
			if got := strict.Tags("rewritten/app"); !slices.Equal(got, []string{"v1"}) {
				t.Errorf("the target has the tags %v", got)
			}
			if report.Artifacts[0].Digest == index.Digest {
				t.Error("the rewritten index has the old digest")
			}
		})
	}
}

// TestPlatformsCompleted: a later backup of all platforms fetches what is missing.
func TestPlatformsCompleted(t *testing.T) {
	for _, out := range outputs {
		r := testregistry.New(t, testregistry.Options{})
		fillPlatforms(r)
		path := t.TempDir() + "/" + out
		sources := selections(t, r.Host+"/app:v1")
		backUp(t, path, only(t, sources, "linux/arm64"))
		backUp(t, path, only(t, sources, "linux/amd64"))
		backUp(t, path, only(t, sources))
		target := testregistry.New(t, testregistry.Options{RejectSparse: true})
		restoreTo(t, path, target.Host+"/mirror")
		testregistry.CheckSame(t, r, target, "mirror")
	}
}

func TestNoSuchPlatform(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	fillPlatforms(r)
	report, err := tryBackup(t, filepath.Join(t.TempDir(), "x.tgz"), only(t, selections(t, r.Host+"/app:v1"), "linux/s390x"), engine.BackupOptions{})
	var missing *engine.PlatformError
	if !errors.Is(err, engine.ErrNothing) || !errors.As(report.Failures()[0].Err, &missing) {
		t.Fatalf("%v, %v", err, report.Failures())
	}
	if have := missing.Have; !slices.Equal(have, []string{"linux/amd64", "linux/arm64", "linux/arm/v7"}) {
		t.Errorf("there are said to be %v", have)
	}
}

// TestCosignTags: what cosign keeps under tags comes with its image, whether the
// tags are listed or not, and goes back under those tags.
func TestCosignTags(t *testing.T) {
	for _, source := range []string{"app", "app:v1"} {
		for _, out := range outputs {
			t.Run(source+" "+out, func(t *testing.T) {
				r := testregistry.New(t, testregistry.Options{})
				image := r.Image("app", "v1", []byte("layer"))
				name := "sha256-" + image.Digest.Encoded()
				r.Image("app", name+".sig", []byte("signature"))
				r.Image("app", name+".att", []byte("attestation"))
				path := t.TempDir() + "/" + out
				report := backUp(t, path, selections(t, r.Host+"/"+source))
				if report.Referrers != 2 {
					t.Errorf("%d referrers", report.Referrers)
				}
				backUp(t, path, selections(t, r.Host+"/"+source))
				target := testregistry.New(t, testregistry.Options{})
				restoreTo(t, path, target.Host+"/mirror")
				testregistry.CheckSame(t, r, target, "mirror")
			})
		}
	}
}

func TestCatalog(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{PageSize: 3})
	for _, repo := range []string{"team/a", "team/b", "team/c", "other/d", "e"} {
		r.Image(repo, "v1", []byte("layer"))
	}
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	source := config.Selection{Registry: r.Host, Referrers: true, Origin: "test"}
	backUp(t, path, []config.Selection{source})
	if got := entries(t, path); !slices.Equal(got, []string{"e:v1", "other/d:v1", "team/a:v1", "team/b:v1", "team/c:v1"}) {
		t.Errorf("the output has %v", got)
	}
	r.Fault(testregistry.Always("GET catalog", testregistry.Status(403, "")))
	report, err := tryBackup(t, filepath.Join(t.TempDir(), "x.tgz"), []config.Selection{source}, engine.BackupOptions{})
	if fails := report.Failures(); !errors.Is(err, engine.ErrNothing) || len(fails) != 1 || fails[0].Reference != r.Host {
		t.Errorf("%v: %v", err, fails)
	}
}

func TestExistingTags(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	image := source.Image("app", "v1", []byte("new"))
	source.Image("app", "v2", []byte("two"))
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	backUp(t, path, selections(t, source.Host+"/app"))
	for mode, wantFailures := range map[string]int{"overwrite": 0, "skip": 0, "fail": 1} {
		t.Run(mode, func(t *testing.T) {
			r := testregistry.New(t, testregistry.Options{})
			r.Image("app", "v1", []byte("old"))
			in, err := store.OpenLayout(path, store.OpenOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			target := config.Target{Registry: r.Host, ExistingTags: mode}
			report, err := restore.Run(t.Context(), client(0), in, engine.RestoreOptions{Targets: []config.Target{target}})
			if err != nil || len(report.Failures()) != wantFailures {
				t.Errorf("%v, %v", err, report.Failures())
			}
			if r.Has("app", image) != (mode == "overwrite") {
				t.Error("the tag is not what it should be")
			}
			if len(r.Tags("app")) != 2 {
				t.Errorf("the target has the tags %v", r.Tags("app"))
			}
		})
	}
}

// TestOptionalRepositoryNotFound, selected by its list or by names.
func TestOptionalRepositoryNotFound(t *testing.T) {
	for answer, absent := range map[string]bool{
		`{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}`: true,
		`{"errors":[{"code":"NOT_FOUND","message":"repository app not found"}]}`:                 true,
		`{"errors":[{"code":"UNSUPPORTED"}]}`:                                                    false,
		`{"errors":[]}`:                                                                          true,
		``:                                                                                       true,
		`<html><body>404 Not Found</body></html>`:                                                true,
	} {
		r := testregistry.New(t, testregistry.Options{})
		r.Image("app", "v1", []byte("layer"))
		r.Fault(func(req *http.Request, _ int) testregistry.Fault {
			if !strings.HasPrefix(req.URL.Path, "/v2/gone/") {
				return nil
			}
			return func(http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
					w.WriteHeader(http.StatusNotFound)
					io.WriteString(w, answer)
				})
			}
		})
		for name, tags := range map[string]filter.Tags{"list": {}, "names": {Names: []string{"v1", "v2"}}, "both": {Names: []string{"v1"}, Include: []string{"v*"}}} {
			sources := selections(t, r.Host+"/app", r.Host+"/gone")
			sources[1].Optional, sources[1].Tags = true, tags
			heard := new(listener)
			report, err := tryBackup(t, filepath.Join(t.TempDir(), "x.tgz"), sources, engine.BackupOptions{Progress: heard})
			if err != nil {
				t.Fatal(err)
			}
			if (len(report.Failures()) == 0) != absent || (len(heard.notices) == 1) != absent {
				t.Errorf("%s, %q: failed: %v; it says %q", name, answer, report.Failures(), heard.notices)
			}
		}
	}
}

// TestMissingTagOfAnOptionalRepositoryIsAnError as long as the repository is there, or
// may be: it has another of the tags, a list of them, or cannot be asked.
func TestMissingTagOfAnOptionalRepositoryIsAnError(t *testing.T) {
	for name, fault := range map[string]func(*http.Request, int) testregistry.Fault{
		"listed":        nil,
		"no lists":      testregistry.Always("GET tags", testregistry.Status(405, "")),
		"lists are 404": testregistry.Always("GET tags", func(http.Handler) http.Handler { return http.NotFoundHandler() }),
	} {
		r := testregistry.New(t, testregistry.Options{})
		r.Image("app", "v1", []byte("layer"))
		r.Fault(fault)
		sources := selections(t, r.Host+"/app")
		sources[0].Optional = true
		for i, tags := range [][]string{{"v1", "v2"}, {"v2", "v1"}, {"v1"}} {
			sources[0].Tags = filter.Tags{Names: tags}
			report, err := tryBackup(t, filepath.Join(t.TempDir(), "x.tgz"), sources, engine.BackupOptions{})
			if err != nil || len(report.Artifacts) != len(tags) || len(report.Failures()) != len(tags)-1 {
				t.Errorf("%s, %d: %v, %v", name, i, err, report.Failures())
			}
		}
	}
}

// TestAbsentRepository: one that may be missing selects nothing, and is not pruned.
func TestAbsentRepository(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	r.Image("app", "v1", []byte("layer"))
	sources := selections(t, r.Host+"/app", r.Host+"/gone")
	report, err := tryBackup(t, filepath.Join(t.TempDir(), "x.tgz"), sources, engine.BackupOptions{})
	if err != nil || len(report.Failures()) != 1 {
		t.Errorf("%v, %v", err, report.Failures())
	}
	sources[1].Optional = true
	heard := new(listener)
	report, err = tryBackup(t, filepath.Join(t.TempDir(), "y.tgz"), sources, engine.BackupOptions{Progress: heard})
	whole(t, report, err)
	if len(report.Artifacts) != 1 || len(heard.notices) != 1 || !strings.HasPrefix(heard.notices[0], r.Host+"/gone: ") {
		t.Errorf("%d artifacts; it says %q", len(report.Artifacts), heard.notices)
	}
	names, err := prune.Names(t.Context(), client(0), sources, engine.BackupOptions{})
	if err != nil || !names.Keeps(r.Host+"/gone:v1") || names.Keeps(r.Host+"/app:v2") {
		t.Errorf("what was kept of it is pruned: %v", err)
	}
	r.Fault(testregistry.Always("GET tags", testregistry.Status(404, "")))
	if report, err = tryBackup(t, filepath.Join(t.TempDir(), "z.tgz"), sources[1:], engine.BackupOptions{}); !errors.Is(err, engine.ErrNothing) || len(report.Failures()) != 1 {
		t.Errorf("any other 404 is no answer: %v", err)
	}
}
