package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/testchart"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// metadata has every key of Chart.yaml, in forms that YAML has several of.
const metadata = `home: https://app.example/<x>
sources: [https://git.example/app, https://git.example/lib]
description: >-
  An app & its
  database
keywords: [a, "b"]
maintainers:
  - {name: Ann, email: ann@app.example, url: https://app.example/ann}
  - name: Bob
icon: https://app.example/icon.png
appVersion: "1.10"
deprecated: true
kubeVersion: ">=1.20.0-0"
type: application
annotations:
  category: db
  org.opencontainers.image.title: other
  org.opencontainers.image.url: https://other.example
  count: "3"
dependencies:
  - name: db
    version: 0.x.x
    repository: https://charts.example
    condition: db.enabled
    tags: [backend]
    import-values: [data, {child: a, parent: b}]
    alias: store
`

// TestHelmTemplate finds the images that a chart renders to with values, and says what to do
// without helm.
func TestHelmTemplate(t *testing.T) {
	helm := tool(t, "helm")
	r := startRegistry(t, registryOptions{})
	testregistry.NewSeeder(t, r.Access).Image("web", "9", []byte("web"))
	archive := testchart.Chart(t, "app", "1.0.0", "", nil)
	repository := testchart.Start(t, "")
	repository.Add("app", "1.0.0", archive)
	d := newDesk(t)
	d.write("app-1.0.0.tgz", string(archive))
	d.write("prod.yaml", "image: "+r.Host+"/web\ntag: \"9\"\n")
	d.write("broken.yaml", "image: [")
	d.run(nil, helm, "push", "app-1.0.0.tgz", "oci://"+r.Host+"/charts", "--plain-http").exits(0)
	plan := func(source, values, path string) outcome {
		d.write("mirror.yaml", "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources:\n  - {"+source+", values: ["+values+"]}\n")
		cmd := d.command(program, "plan", "-f", "mirror.yaml")
		cmd.Env = append(cmd.Env, "PATH="+path)
		return d.finish(nil, cmd)
	}
	for _, source := range []string{"chart: oci://" + r.Host + "/charts/app", "chart: app, repo: " + repository.URL} {
		out := plan(source, "prod.yaml", filepath.Dir(helm))
		if !regexp.MustCompile(regexp.QuoteMeta(r.Host) + `/web:9 .* chart app 1.0.0, helm template`).MatchString(out.stdout) {
			t.Errorf("the plan lacks the image:\n%s%s", out.stdout, out.stderr)
		}
		plan(source, "prod.yaml", d.Dir).says("helm is not on PATH", "hint: install helm")
		plan(source, "broken.yaml", filepath.Dir(helm)).says("helm template: ", "hint: check the values")
	}
}

// TestHelm compares the artifact that is made of a chart in a Helm repository with the one that
// helm pushes, and has helm pull it from a real registry.
func TestHelm(t *testing.T) {
	helm := tool(t, "helm")
	r := startRegistry(t, registryOptions{})
	db := testchart.Chart(t, "db", "0.1.0", "", nil)
	archive := testchart.Chart(t, "app", "1.2.3+b7", metadata, map[string]string{"charts/db-0.1.0.tgz": string(db)})
	prov := "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nname: app\n"
	repository := testchart.Start(t, "/stable")
	repository.Add("app", "1.2.3+b7", archive)
	repository.Put("app-1.2.3+b7.tgz.prov", []byte(prov))

	d := newDesk(t)
	d.write("app-1.2.3+b7.tgz", string(archive))
	d.write("app-1.2.3+b7.tgz.prov", prov)
	d.write("mirror.yaml", "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources:\n  - {chart: app, repo: "+repository.URL+", version: ^1, images: false}\n")
	d.run(nil, helm, "push", "app-1.2.3+b7.tgz", "oci://"+r.Host+"/pushed", "--plain-http").exits(0)
	d.mirror("sync", "-f", "mirror.yaml", "--target", r.Host+"/mirrored").exits(0)

	manifest := func(name string) (m ocispec.Manifest) {
		t.Helper()
		if err := json.Unmarshal([]byte(d.oras("manifest", "fetch", "--plain-http", r.Host+"/"+name+":1.2.3_b7")), &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	config := func(name string, m ocispec.Manifest) string {
		return d.oras("blob", "fetch", "--plain-http", "--output", "-", r.Host+"/"+name+"@"+m.Config.Digest.String())
	}
	pushed, made := manifest("pushed/app"), manifest("mirrored/stable/app")
	if got, want := config("mirrored/stable/app", made), config("pushed/app", pushed); got != want {
		t.Errorf("the config is\n%s, helm pushed\n%s", got, want)
	}
	delete(pushed.Annotations, ocispec.AnnotationCreated) // the time of the push
	if !reflect.DeepEqual(made, pushed) {
		t.Errorf("the manifest is\n%+v, helm pushed\n%+v", made, pushed)
	}

	d.run(nil, helm, "pull", "oci://"+r.Host+"/mirrored/stable/app", "--version", "1.2.3+b7", "--plain-http", "--prov", "--destination", d.home).exits(0)
	pulled := func(name string) string {
		data, err := os.ReadFile(filepath.Join(d.home, name))
		if err != nil {
			t.Error(err)
		}
		return string(data)
	}
	if pulled("app-1.2.3+b7.tgz") != string(archive) || pulled("app-1.2.3+b7.tgz.prov") != prov {
		t.Error("helm pulled other bytes")
	}
}
