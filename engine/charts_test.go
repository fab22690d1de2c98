package engine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/lockfile"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/internal/discover/chart"
	"github.com/oras-mirror/oras-mirror/internal/testchart"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// specSource returns the selections of a source of a spec, in flow style.
func specSource(t *testing.T, text string) []config.Selection {
	t.Helper()
	spec, err := config.Parse("mirror.yaml", []byte("apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources:\n  - "+text+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := spec.Selections()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// pushChart adds a chart to a registry as helm push does.
func pushChart(t *testing.T, r *testregistry.Registry, repository, tag string, archive []byte) ocispec.Descriptor {
	t.Helper()
	c, err := chart.Read(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	config, err := json.Marshal(c.Metadata)
	if err != nil {
		t.Fatal(err)
	}
	return r.Manifest(repository, tag, ocispec.MediaTypeImageManifest, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		Config:    r.Blob(repository, chart.ConfigType, config),
		Layers:    []ocispec.Descriptor{r.Blob(repository, chart.LayerType, archive)},
	})
}

// annotated returns lines of Chart.yaml with an annotation that lists images.
func annotated(key string, images ...string) string {
	text := "annotations:\n  " + key + ": |\n"
	for _, image := range images {
		text += "    - {name: x, image: " + image + "}\n"
	}
	return text
}

// TestChart backs up charts of a registry and of a Helm repository, each with the images that
// it and its dependencies name.
func TestChart(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	for _, name := range []string{"one", "two", "three", "four"} {
		r.Image(name, "v1", []byte(name))
	}
	image := func(name string) string { return r.Host + "/" + name + ":v1" }
	lock := func(name string) string {
		return "apiVersion: v0\nkind: ImagesLock\nimages:\n  - {name: x, image: " + image(name) + ", digests: []}\n"
	}
	db := testchart.Chart(t, "db", "0.1.0", annotated("artifacthub.io/images", image("three")), nil)
	files := map[string]string{
		"Images.lock": lock("two"), "charts/db-0.1.0.tgz": string(db),
		"charts/web/Chart.yaml":  "apiVersion: v2\nname: web\nversion: 1.0.0\n",
		"charts/web/Images.lock": lock("four"), "charts/_old/Images.lock": lock("absent"),
	}
	newest := testchart.Chart(t, "app", "1.2.0+b7", annotated("helm.sh/images", image("one")), files)
	helm := testchart.Start(t, "/Stable_Charts")
	for version, data := range map[string][]byte{
		"1.1.0": testchart.Chart(t, "app", "1.1.0", "", nil), "1.2.0+b7": newest,
		"1.3.0-rc.1": testchart.Chart(t, "app", "1.3.0-rc.1", "", nil), "2.0.0": testchart.Chart(t, "app", "2.0.0", "", nil),
	} {
		helm.Add("app", version, data)
		pushChart(t, r, "charts/app", chart.TagOf(version), data)
	}
	images := []string{"four:v1", "one:v1", "three:v1", "two:v1"}
	for _, test := range []struct{ source, name string }{
		{"{chart: oci://" + r.Host + "/charts/app, version: ^1.1}", "charts/app:1.2.0_b7"},
		{"{chart: oci://" + r.Host + "/charts/app, version: 1.2.0+b7}", "charts/app:1.2.0_b7"},
		{"{chart: app, repo: " + helm.URL + "/, version: ^1.1}", "stable-charts/app:1.2.0_b7"},
	} {
		for _, out := range outputs {
			path := t.TempDir() + "/" + out
			backUp(t, path, specSource(t, test.source))
			want := append([]string{test.name}, images...)
			slices.Sort(want)
			if got := entries(t, path); !slices.Equal(got, want) {
				t.Errorf("%s: got %q, want %q", test.source, got, want)
			}
		}
	}
	if got := froms(t, specSource(t, "{chart: app, repo: "+helm.URL+", version: 1.2.x}")); !slices.Equal(got, []string{
		"", "chart app 1.2.0+b7, annotation", "chart app 1.2.0+b7, Images.lock", "chart app 1.2.0+b7, charts/db-0.1.0, annotation", "chart app 1.2.0+b7, charts/web, Images.lock",
	}) {
		t.Errorf("found %q", got)
	}
}

// froms returns where a forecast says that references were found.
func froms(t *testing.T, sources []config.Selection) []string {
	t.Helper()
	var all []string
	for _, o := range foresee(t, sources).Artifacts {
		if o.Err != nil {
			t.Errorf("%s: %v", o.Name, o.Err)
		}
		all = append(all, o.From)
	}
	return all
}

func foresee(t *testing.T, sources []config.Selection) *engine.Forecast {
	t.Helper()
	f, err := backup.Forecast(t.Context(), client(0), sources, backup.Output{}, engine.BackupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestChartIsMadeAlike backs up a chart of a Helm repository twice: the bytes are the same, with
// its provenance, whether the archive was kept in memory or fetched again.
func TestChartIsMadeAlike(t *testing.T) {
	for name, size := range map[string]int{"small": 10, "large": 2 << 20} {
		t.Run(name, func(t *testing.T) {
			helm := testchart.Start(t, "")
			noise := make([]byte, size)
			for i, x := 0, uint32(1); i < size; i++ {
				x = x*1664525 + 1013904223
				noise[i] = byte(x >> 24)
			}
			archive := testchart.Chart(t, "app", "1.0.0", "", map[string]string{"files/noise": string(noise)})
			helm.Add("app", "1.0.0", archive)
			prov := "-----BEGIN PGP SIGNED MESSAGE-----\n"
			helm.Put("app-1.0.0.tgz.prov", []byte(prov))
			var bundles [2][]byte
			for i := range bundles {
				path := t.TempDir() + "/b.tgz"
				backUp(t, path, specSource(t, "{chart: app, repo: "+helm.URL+", images: false}"))
				var err error
				if bundles[i], err = os.ReadFile(path); err != nil {
					t.Fatal(err)
				}
				in, err := store.OpenLayout(path, store.OpenOptions{})
				if err != nil {
					t.Fatal(err)
				}
				for _, data := range [][]byte{archive, []byte(prov)} {
					if n, err := in.Stat(digest.FromBytes(data)); err != nil || n != int64(len(data)) {
						t.Errorf("the bundle lacks a layer: %v", err)
					}
				}
				in.Close()
			}
			if !bytes.Equal(bundles[0], bundles[1]) {
				t.Error("two backups differ")
			}
			got, want := helm.Requests(), []string{"index.yaml", "app-1.0.0.tgz", "app-1.0.0.tgz.prov"}
			if size > 1<<20 {
				want = append(want, "app-1.0.0.tgz")
			}
			if !slices.Equal(got, append(slices.Clone(want), want...)) {
				t.Errorf("the requests were %q, want %q twice", got, want)
			}
		})
	}
}

// TestLockedChart locks a chart of a Helm repository, and finds it again by the lock alone.
func TestLockedChart(t *testing.T) {
	helm := testchart.Start(t, "/charts")
	helm.Add("app", "1.0.0+a", testchart.Chart(t, "app", "1.0.0+a", "", nil))
	lock, err := foresee(t, specSource(t, "{chart: app, repo: "+helm.URL+", images: false}")).Lock()
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if _, err := lock.WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), ", repo: "+helm.URL+"}") {
		t.Errorf("the lock does not say where the chart is from:\n%s", &text)
	}
	if lock, err = lockfile.Parse("mirror.lock.yaml", text.Bytes()); err != nil {
		t.Fatal(err)
	}
	helm.Add("app", "2.0.0", testchart.Chart(t, "app", "2.0.0", "", nil)) // the lock pins the former
	path := t.TempDir() + "/b/"
	backUp(t, path, lock.Selections("lock"))
	if got := entries(t, path); !slices.Equal(got, []string{"charts/app:1.0.0_a"}) {
		t.Errorf("got %q", got)
	}
	helm.Requests()
	backUp(t, path, lock.Selections("lock"))
	if got := helm.Requests(); len(got) > 0 {
		t.Errorf("requests for what is there: %q", got)
	}
	changed := testchart.Start(t, "/charts")
	changed.Add("app", "1.0.0+a", testchart.Chart(t, "app", "1.0.0+a", "description: other\n", nil))
	moved := lock.Selections("lock")
	moved[0].Chart.Repository = changed.URL
	report, err := tryBackup(t, t.TempDir()+"/b", moved, engine.BackupOptions{})
	if failed := failure(report, err); !errors.As(failed, new(*engine.RemadeError)) {
		t.Errorf("a chart that changed: %v", failed)
	}
}
