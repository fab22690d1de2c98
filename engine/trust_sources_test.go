package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/testchart"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// TestSignaturesBesideAMirror: a mirror has the images, and the registry their signatures. Where
// only the mirror may be asked, it must have them too; its own do not count.
func TestSignaturesBesideAMirror(t *testing.T) {
	for _, where := range []place{asTag, asReferrer, asBundle} {
		for _, only := range []bool{false, true} {
			for _, out := range append(slices.Clone(formats), "sync") {
				t.Run(fmt.Sprint(where, " ", only, " ", strings.Trim(out, "/")), func(t *testing.T) {
					r, cache, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
					key := newSigner(t)
					for _, name := range []string{"app", "bad"} {
						image := r.Image(name, "v1", []byte(name))
						cache.Image("hub/"+name, "v1", []byte(name))
						by := key
						if name == "bad" {
							by = newSigner(t)
						}
						if by.sign(r, name, image, where); only {
							by.sign(cache, "hub/"+name, image, where)
						}
					}
					c := registry.New(registry.Options{Settings: func(host string) (registry.Settings, error) {
						if host != r.Host {
							return registry.Settings{}, nil
						}
						return registry.Settings{MirrorsOnly: only, Mirrors: []registry.Mirror{{Registry: cache.Host, Prefix: "hub"}}}, nil
					}})
					trusted, from := trusting(t, key.policy("**")), selections(t, r.Host+"/app:v1", r.Host+"/bad:v1")
					var reports []engine.ArtifactReport
					if out == "sync" {
						report, err := syncOf(t, c, from, engine.RestoreOptions{Trust: trusted}, target.Host)
						if err != nil {
							t.Fatal(err)
						}
						reports = report.Artifacts
					} else {
						path := t.TempDir() + "/" + out
						report, err := backupWith(t, c, path, from, engine.BackupOptions{Trust: trusted})
						if err != nil {
							t.Fatal(err)
						}
						reports = report.Artifacts
						in := openFor(t, path, false)
						defer in.Close()
						if all := checkSignatures(t, in, trusted); len(all) != 1 || all[0].Err != nil || all[0].SignedBy[0] != key.line() {
							t.Errorf("%+v", all)
						}
					}
					if good := reports[0]; good.Err != nil || !slices.Equal(good.SignedBy, []string{key.line()}) {
						t.Errorf("%+v", good)
					}
					if bad := reports[1]; bad.Err == nil || bad.Operation() != engine.OpVerify {
						t.Errorf("%+v", bad)
					}
					if only && len(r.Requests()) > 0 {
						t.Errorf("requests to the registry: %q", r.Requests())
					}
				})
			}
		}
	}
}

// TestSignaturesOfCharts: a chart in a registry is signed like any artifact, and so are its images.
// One that a Helm repository has cannot be signed.
func TestSignaturesOfCharts(t *testing.T) {
	for _, where := range []place{asTag, asReferrer, asBundle} {
		t.Run(string(where), func(t *testing.T) {
			r, key := testregistry.New(t, testregistry.Options{}), newSigner(t)
			data := testchart.Chart(t, "app", "1.2.0", annotated("helm.sh/images", r.Host+"/good:v1", r.Host+"/bad:v1"), nil)
			helm := testchart.Start(t, "/stable")
			helm.Add("app", "1.2.0", data)
			for name, d := range map[string]ocispec.Descriptor{"charts/app": pushChart(t, r, "charts/app", "1.2.0", data), "good": r.Image("good", "v1", []byte("good"))} {
				key.sign(r, name, d, where)
			}
			r.Image("bad", "v1", []byte("bad"))
			trusted := trusting(t, key.policy("**"))
			from := slices.Concat(specSource(t, "{chart: oci://"+r.Host+"/charts/app, version: 1.2.0}"), specSource(t, "{chart: app, repo: "+helm.URL+", version: 1.2.0, images: false}"))
			for _, kind := range inputKinds {
				free := kind.fill(t, from)
				checkCharts(t, checkSignatures(t, kind.open(t, free), trusted))
				report, err := tryRestore(t, kind.open(t, free), testregistry.New(t, testregistry.Options{}).Host, engine.RestoreOptions{Trust: trusted})
				if err != nil {
					t.Fatal(err)
				}
				checkCharts(t, report.Artifacts)
			}
			report, err := tryBackup(t, t.TempDir()+"/bundle.tgz", from, engine.BackupOptions{Trust: trusted})
			if err != nil {
				t.Fatal(err)
			}
			checkCharts(t, report.Artifacts)
			report, err = syncOf(t, client(0), from, engine.RestoreOptions{Trust: trusted}, testregistry.New(t, testregistry.Options{}).Host)
			if err != nil {
				t.Fatal(err)
			}
			checkCharts(t, report.Artifacts)
		})
	}
}

// checkCharts checks that the chart and the image that are signed pass, and the others do not.
func checkCharts(t *testing.T, reports []engine.ArtifactReport) {
	t.Helper()
	outcome := make(map[string]bool)
	for _, r := range reports {
		if r.Err != nil && !isError[*engine.UnsignedError](r.Err) || r.Err == nil && len(r.SignedBy) != 1 {
			t.Errorf("%+v", r)
		}
		_, path, _ := strings.Cut(r.Reference, "/")
		outcome[path] = r.Err == nil
	}
	if len(reports) != 4 || !outcome["charts/app:1.2.0"] || !outcome["good:v1"] || outcome["bad:v1"] || outcome["stable/app:1.2.0"] {
		t.Errorf("%v", outcome)
	}
}

// TestSignaturesOfALayout: an artifact of a layout that a spec names as a source is checked as one
// of its registry, online and in a sync; signatures travel along.
func TestSignaturesOfALayout(t *testing.T) {
	for _, where := range []place{asTag, asReferrer, asBundle} {
		for _, form := range formats {
			t.Run(string(where)+" "+strings.Trim(form, "/"), func(t *testing.T) {
				r, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
				key := newSigner(t)
				image := r.Image("app", "v1", []byte("layer"))
				signature := key.sign(r, "app", image, where)
				r.Image("bad", "v1", []byte("bad"))
				path, trusted := t.TempDir()+"/"+form, trusting(t, key.policy("**"))
				backUp(t, path, selections(t, r.Host+"/app:v1", r.Host+"/bad:v1"))
				from := func(c config.Selection) []config.Selection { c.Layout = path; return []config.Selection{c} }
				for _, referrers := range []bool{true, false} {
					report, err := syncOf(t, client(0), from(config.Selection{Referrers: referrers}), engine.RestoreOptions{Trust: trusted}, target.Host)
					if err != nil {
						t.Fatal(err)
					}
					if n := len(report.Failures()); n != 1 || report.Failures()[0].Operation() != engine.OpVerify {
						t.Errorf("%+v", report.Failures())
					}
					if !target.Has("app", image) || !target.Has("app", signature) || len(target.Tags("bad")) > 0 {
						t.Error("the target differs")
					}
				}
				in, err := store.OpenLayout(path, store.OpenOptions{})
				if err != nil {
					t.Fatal(err)
				}
				defer in.Close()
				if all := checkSignatures(t, in, trusted); len(all) != 2 {
					t.Errorf("%+v", all)
				}
			})
		}
	}
}
