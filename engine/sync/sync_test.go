package sync_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/engine/internal/headway"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/engine/sync"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// selections selects references with their referrers, or without.
func selections(t *testing.T, referrers bool, references ...string) []config.Selection {
	t.Helper()
	var all []config.Selection
	for _, s := range references {
		ref, err := config.ParseReference(s)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, config.Selection{Reference: ref, Referrers: referrers})
	}
	return all
}

func targets(t *testing.T, names ...string) []config.Target {
	t.Helper()
	var all []config.Target
	for _, name := range names {
		target, err := config.ParseTarget(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, target)
	}
	return all
}

// try syncs to some targets.
func try(t *testing.T, from []config.Selection, o engine.SyncOptions, to ...string) (*engine.Report, error) {
	t.Helper()
	return tryBy(t, clientOf(o.Concurrency), from, o, to...)
}

func tryBy(t *testing.T, c *registry.Client, from []config.Selection, o engine.SyncOptions, to ...string) (*engine.Report, error) {
	t.Helper()
	o.Targets = targets(t, to...)
	return sync.Run(t.Context(), c, from, o)
}

func forecast(t *testing.T, c *registry.Client, from []config.Selection, to ...string) (*engine.Forecast, error) {
	t.Helper()
	return sync.Forecast(t.Context(), c, from, engine.SyncOptions{RestoreOptions: engine.RestoreOptions{Targets: targets(t, to...)}})
}

func clientOf(concurrency int) *registry.Client {
	return registry.New(registry.Options{Transport: transport.Options{Concurrency: concurrency}})
}

// requests counts what a client has sent, as a forecast does.
func requests(c *registry.Client) int { return headway.Requests(c) }

// run syncs and fails the test unless everything is whole.
func run(t *testing.T, from []config.Selection, to ...string) *engine.Report {
	t.Helper()
	report, err := try(t, from, engine.SyncOptions{}, to...)
	whole(t, report, err)
	return report
}

func whole(t *testing.T, report *engine.Report, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range report.Failures() {
		t.Errorf("%s: %v", a.Reference, a.Err)
	}
	if t.Failed() {
		t.FailNow()
	}
}

// fill puts one of everything into a registry and returns its repositories.
func fill(r *testregistry.Registry) []string {
	one := r.Image("team/app", "v1", testregistry.Random("a", 3000), testregistry.Random("b", 10))
	two := r.Image("team/app", "", testregistry.Random("a", 3000), testregistry.Random("c", 0))
	index := r.Index("team/app", "multi", one, two)
	nested := r.Index("team/app", "nested", index, one)
	signature := r.Referrer("team/app", index, "application/vnd.example.signature", []byte("signature"))
	r.Referrer("team/app", signature, "application/vnd.example.timestamp", []byte("timestamp"))
	r.Referrer("team/app", two, "application/vnd.example.sbom", []byte(`{"sbom": true}`))
	r.Referrer("team/app", nested, "application/vnd.example.sbom", testregistry.Random("s", 70000))

	docker := r.DockerImage("team/docker", "v1", testregistry.Random("a", 3000), testregistry.Random("d", 50))
	r.DockerList("team/docker", "list", docker)
	r.Image("team/docker", "sha256-"+docker.Digest.Encoded()+".sig", []byte("cosign"))
	r.Artifact("charts/chart", "0.1.0", "application/vnd.cncf.helm.config.v1+json", testregistry.Random("h", 999))
	r.Artifact("charts/chart", "empty", "application/vnd.example.empty")
	r.RetiredArtifact("charts/chart", "retired", "application/vnd.example.old", nil, []byte("old"))
	return []string{r.Host + "/team/app", r.Host + "/team/docker", r.Host + "/charts/chart"}
}

// fillMany puts n images of two blobs of their own and one that all share.
func fillMany(r *testregistry.Registry, repo string, n int) {
	for i := range n {
		own := testregistry.Random(fmt.Sprint(repo, i), 2048)
		r.Image(repo, fmt.Sprintf("v%d", i), own, []byte("shared by all"))
	}
}

func TestRoundTrip(t *testing.T) {
	for _, api := range [][2]bool{{true, true}, {true, false}, {false, true}, {false, false}} {
		t.Run(fmt.Sprint(api), func(t *testing.T) {
			source := testregistry.New(t, testregistry.Options{NoReferrersAPI: !api[0], PageSize: 2})
			target := testregistry.New(t, testregistry.Options{NoReferrersAPI: !api[1], RejectSparse: true, RequireSubject: true})
			from := selections(t, true, fill(source)...)
			report := run(t, from, target.Host+"/mirror")
			if report.Referrers == 0 {
				t.Error("no referrers reported")
			}
			testregistry.CheckSame(t, source, target, "mirror")
			target.ResetCounts()
			if again := run(t, from, target.Host+"/mirror"); again.Unchanged != len(again.Artifacts) || again.Moved > 0 {
				t.Errorf("again: %d of %d unchanged, %d bytes moved", again.Unchanged, len(again.Artifacts), again.Moved)
			}
			for kind, n := range target.Counts() {
				if n > 0 && kind[:3] != "GET" && kind[:4] != "HEAD" {
					t.Errorf("again: %d times %s", n, kind)
				}
			}
		})
	}
}

// TestSeveralTargets: one GET of a blob serves them all.
func TestSeveralTargets(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	from := selections(t, true, fill(source)...)
	one, two := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	run(t, from, one.Host+"/mirror", two.Host+"/mirror")
	blobs := source.Counts()["GET blob"]
	testregistry.CheckSame(t, source, one, "mirror")
	testregistry.CheckSame(t, source, two, "mirror")
	lone := testregistry.New(t, testregistry.Options{})
	source.ResetCounts()
	run(t, from, lone.Host+"/mirror")
	if alone := source.Counts()["GET blob"]; alone != blobs {
		t.Errorf("%d GETs of blobs for two targets, %d for one", blobs, alone)
	}
}

// TestWithinOneRegistry: what the registry has is mounted from the source.
func TestWithinOneRegistry(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	fillMany(r, "team/app", 5)
	report := run(t, selections(t, false, r.Host+"/team/app"), r.Host+"/copy")
	got := r.Counts()
	if got["GET blob"]+got["PUT upload"] > 0 || got["mount"] != 11 {
		t.Errorf("%v", got)
	}
	if report.Moved > 10_000 {
		t.Errorf("%d bytes moved", report.Moved)
	}
}

// TestLayoutAsSource copies from a layout on disk.
func TestLayoutAsSource(t *testing.T) {
	source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	path := filepath.Join(t.TempDir(), "layout")
	out, err := store.Create(path+"/", store.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	report, err := backup.Run(t.Context(), registry.New(registry.Options{}), selections(t, true, fill(source)...), out, engine.BackupOptions{})
	whole(t, report, err)
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	source.ResetCounts()
	run(t, []config.Selection{{Layout: path, Referrers: true}}, target.Host+"/mirror")
	testregistry.CheckCounts(t, source, nil)
	testregistry.CheckSame(t, source, target, "mirror")
}
