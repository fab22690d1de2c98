package engine_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/engine/restore"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// client makes the client of one run, for test registries without TLS.
func client(concurrency int) *registry.Client {
	return registry.New(registry.Options{Transport: transport.Options{Concurrency: concurrency}})
}

func selections(t *testing.T, references ...string) []config.Selection {
	t.Helper()
	var all []config.Selection
	for _, s := range references {
		ref, err := config.ParseReference(s)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, config.Selection{Reference: ref, Referrers: true})
	}
	return all
}

// backUp writes to path and fails the test unless everything is whole.
func backUp(t *testing.T, path string, sources []config.Selection) *engine.Report {
	t.Helper()
	report, err := tryBackup(t, path, sources, engine.BackupOptions{})
	whole(t, report, err)
	return report
}

func tryBackup(t *testing.T, path string, sources []config.Selection, o engine.BackupOptions) (*engine.Report, error) {
	t.Helper()
	out, err := store.Create(path, store.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	report, err := backup.Run(t.Context(), client(o.Concurrency), sources, out, o)
	if e := out.Close(); e != nil {
		t.Fatal(e)
	}
	return report, err
}

// restoreTo pushes path to a target and fails the test unless everything is whole.
func restoreTo(t *testing.T, path, target string) *engine.Report {
	t.Helper()
	in, err := store.OpenLayout(path, store.OpenOptions{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	report, err := tryRestore(t, in, target, engine.RestoreOptions{})
	whole(t, report, err)
	return report
}

// restorePipe does the same from a pipe.
func restorePipe(t *testing.T, path, target string) *engine.Report {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in, err := store.OpenStream(f, store.OpenOptions{TempDir: filepath.Join(t.TempDir(), "absent")})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	report, err := tryRestore(t, in, target, engine.RestoreOptions{})
	whole(t, report, err)
	return report
}

func tryRestore(t *testing.T, in store.Input, target string, o engine.RestoreOptions) (*engine.Report, error) {
	t.Helper()
	to, err := config.ParseTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	o.Targets = []config.Target{to}
	return restore.Run(t.Context(), client(o.Concurrency), in, o)
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
	r.Artifact("charts/chart", "0.1.0", "application/vnd.cncf.helm.config.v1+json", testregistry.Random("h", 999))
	r.Artifact("charts/chart", "empty", "application/vnd.example.empty")
	r.RetiredArtifact("charts/chart", "retired", "application/vnd.example.old", nil, []byte("old"))
	return []string{r.Host + "/team/app", r.Host + "/team/docker", r.Host + "/charts/chart"}
}

func TestRoundTrip(t *testing.T) {
	kinds := []struct {
		name, path string
		restore    func(*testing.T, string, string) *engine.Report
	}{
		{"directory", "layout/", restoreTo},
		{"tgz", "bundle.tgz", restoreTo},
		{"tar", "bundle.tar", restoreTo},
		{"tgz from a pipe", "bundle.tgz", restorePipe},
		{"tar from a pipe", "bundle.tar", restorePipe},
	}
	for _, kind := range kinds {
		for _, api := range [][2]bool{{true, true}, {true, false}, {false, true}, {false, false}} {
			t.Run(kind.name+apiName(api), func(t *testing.T) {
				source := testregistry.New(t, testregistry.Options{NoReferrersAPI: !api[0], PageSize: 2})
				target := testregistry.New(t, testregistry.Options{NoReferrersAPI: !api[1], RejectSparse: true, RequireSubject: true})
				path := filepath.Join(t.TempDir(), kind.path)
				if kind.path == "layout/" {
					path += "/"
				}
				report := backUp(t, path, selections(t, fill(source)...))
				if report.Referrers == 0 {
					t.Error("no referrers reported")
				}
				kind.restore(t, path, target.Host+"/mirror")
				testregistry.CheckSame(t, source, target, "mirror")
			})
		}
	}
}

func apiName(api [2]bool) string {
	names := map[bool]string{true: "API", false: "tags"}
	return ", from " + names[api[0]] + " to " + names[api[1]]
}
