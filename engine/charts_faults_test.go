package engine_test

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/internal/testchart"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// failure returns the error of the only artifact, or that of the run.
func failure(report *engine.Report, err error) error {
	if report != nil && len(report.Failures()) == 1 {
		return report.Failures()[0].Err
	}
	return err
}

// TestFaultyCharts checks that each fault of a Helm repository is the fault of its chart alone,
// and named.
func TestFaultyCharts(t *testing.T) {
	good := testchart.Chart(t, "app", "1.0.0", "", nil)
	entry := func(keys string) func(*testchart.Repository) {
		return func(h *testchart.Repository) { h.AddEntry("app", keys) }
	}
	with := func(data []byte) func(*testchart.Repository) {
		return func(h *testchart.Repository) { h.Add("app", "1.0.0", data) }
	}
	zeros := strings.Repeat("\x00", 101<<20)
	for name, test := range map[string]struct {
		prepare func(*testchart.Repository)
		want    string
	}{
		"bomb":          {with(testchart.Chart(t, "app", "1.0.0", "", map[string]string{"zeros": zeros})), "it unpacks to more than 100 MiB"},
		"nested bomb":   {with(testchart.Chart(t, "app", "1.0.0", "", map[string]string{"charts/a.tgz": string(testchart.Pack(t, "a", map[string]string{"zeros": zeros}))})), "it unpacks to more than 100 MiB"},
		"parent":        {with(testchart.Chart(t, "app", "1.0.0", "", map[string]string{"../../etc/passwd": "x"})), `invalid path "app/../../etc/passwd"`},
		"other name":    {with(testchart.Chart(t, "web", "1.0.0", "", nil)), "index.yaml has app 1.0.0, Chart.yaml has web 1.0.0"},
		"other version": {with(testchart.Chart(t, "app", "1.0.1", "", nil)), "index.yaml has app 1.0.0, Chart.yaml has app 1.0.1"},
		"no chart":      {with([]byte("plain text")), "it is not a .tgz"},
		"no Chart.yaml": {with(testchart.Pack(t, "app", map[string]string{"values.yaml": ""})), "it has no Chart.yaml"},
		"bad list":      {with(testchart.Chart(t, "app", "1.0.0", "annotations: {images: \"a: b\"}\n", nil)), "Chart.yaml: annotation images:"},
		"bad image":     {with(testchart.Chart(t, "app", "1.0.0", annotated("images", "a..b/c:"), nil)), "annotation: \"a..b/c:\""},
		"digest": {func(h *testchart.Repository) {
			h.Add("app", "1.0.0", good)
			h.Put("app-1.0.0.tgz", testchart.Chart(t, "app", "1.0.0", "icon: x\n", nil))
		}, "index.yaml has the digest sha256:"},
		"no urls":        {entry("version: 1.0.0"), "app 1.0.0 has no urls"},
		"bad URL":        {entry("version: 1.0.0\n    urls: ['file:///etc/passwd']"), "invalid URL of app 1.0.0"},
		"absent archive": {entry("version: 1.0.0\n    urls: [absent.tgz]"), "404 not found"},
		"no such chart":  {func(h *testchart.Repository) { h.Add("web", "1.0.0", good) }, "no chart app"},
		"no version":     {func(h *testchart.Repository) { h.Add("app", "0.9.0", good) }, `none of its 1 versions matches "^1"`},
		"absent index":   {func(*testchart.Repository) {}, "index.yaml: fetch: 404 not found"},
		"page":           {func(h *testchart.Repository) { h.Put("index.yaml", []byte("name: a\nother: b\n")) }, "not the index of a Helm repository"},
		"huge index":     {func(h *testchart.Repository) { h.Put("index.yaml", bytes.Repeat([]byte("# 345678\n"), 12<<20)) }, "67108864"},
		"huge version":   {entry("version: 1.0.0\n    description: " + strings.Repeat("x", 2<<20)), "a version of app has more than 1 MiB"},
		"broken entry":   {entry("version: [1.0.0"), "line 4:"},
		"unauthorized": {func(h *testchart.Repository) {
			h.Answer(func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
				w.WriteHeader(401)
				return true
			})
		}, "401 unauthorized, no credentials found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			helm := testchart.Start(t, "")
			test.prepare(helm)
			report, err := tryBackup(t, t.TempDir()+"/b", specSource(t, "{chart: app, repo: "+helm.URL+", version: ^1}"), engine.BackupOptions{})
			if failed := failure(report, err); failed == nil || !strings.Contains(failed.Error(), test.want) {
				t.Errorf("got %v, want %q", failed, test.want)
			}
		})
	}
}

// TestChartElsewhere follows redirects and URLs on another host, which gets no credentials.
func TestChartElsewhere(t *testing.T) {
	archive := testchart.Chart(t, "app", "1.0.0", "", nil)
	other := testchart.Start(t, "/files")
	other.Put("app.tgz", archive)
	helm := testchart.Start(t, "/x")
	var sent []string // authorizations at the repository
	helm.Answer(func(w http.ResponseWriter, r *http.Request) bool {
		sent = append(sent, r.Header.Get("Authorization"))
		if r.Header.Get("Authorization") == "" {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
		if strings.HasSuffix(r.URL.Path, "moved.tgz") {
			http.Redirect(w, r, other.URL+"/app.tgz", http.StatusFound)
			return true
		}
		return false
	})
	other.Answer(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") != "" || r.Header.Get("X-Secret") != "" {
			t.Error("the other host got credentials")
		}
		if strings.HasSuffix(r.URL.Path, ".prov") {
			w.WriteHeader(http.StatusNotFound)
			return true
		}
		return false
	})
	settings := func(string) (registry.Settings, error) {
		return registry.Settings{Settings: transport.Settings{Credential: &auth.Credential{Username: "u", Password: "p"}, Header: http.Header{"X-Secret": {"s"}}}}, nil
	}
	for _, at := range []string{other.URL + "/app.tgz", "moved.tgz", helm.URL + "/moved.tgz"} {
		helm.Put("index.yaml", []byte("entries:\n  app:\n  - {version: 1.0.0, urls: ["+at+"]}\n"))
		out, err := store.Create(t.TempDir()+"/b", store.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		c := registry.New(registry.Options{Settings: settings})
		report, err := backup.Run(t.Context(), c, specSource(t, "{chart: app, repo: "+helm.URL+"}"), out, engine.BackupOptions{})
		if e := out.Close(); e != nil {
			t.Error(e)
		}
		whole(t, report, err)
	}
	if !slices.Contains(sent, "Basic dTpw") {
		t.Errorf("the repository got %q", sent)
	}
}

// TestOptionalChart skips a chart that is not there only if it is optional.
func TestOptionalChart(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	r.Image("app", "v1", []byte("app"))
	helm := testchart.Start(t, "")
	helm.Add("web", "1.0.0", nil)
	for _, absent := range []string{"{chart: app, repo: " + helm.URL + ", optional: true}", "{chart: oci://" + r.Host + "/charts/none, optional: true}",
		"{chart: oci://" + r.Host + "/app, optional: true}"} {
		sources := append(specSource(t, absent), selections(t, r.Host+"/app:v1")...)
		if f := foresee(t, sources); len(f.Artifacts) != 1 || f.Artifacts[0].Err != nil {
			t.Errorf("%s: %+v", absent, f.Artifacts)
		}
	}
	report, err := tryBackup(t, t.TempDir()+"/b", specSource(t, "{chart: oci://"+r.Host+"/app, version: 1.0.0}"), engine.BackupOptions{})
	if failed := failure(report, err); !errors.As(failed, new(*engine.TagError)) {
		t.Errorf("got %v", failed)
	}
	pushChart(t, r, "ok", "1.0.0", testchart.Chart(t, "ok", "1.0.0", "", nil))
	r.Image("app", "1.0.0", []byte("no chart"))
	report, err = tryBackup(t, t.TempDir()+"/b", specSource(t, "{chart: oci://"+r.Host+"/app}"), engine.BackupOptions{})
	if failed := failure(report, err); failed == nil || !strings.Contains(failed.Error(), "not a Helm chart") {
		t.Errorf("got %v", failed)
	}
}
