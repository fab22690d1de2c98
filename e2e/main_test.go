package e2e

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// fillTeam puts images for two platforms, nested ones, and referrers of all of them.
func fillTeam(s *testregistry.Seeder) {
	base := testregistry.Random("base", 300_000)
	amd64 := s.Image("team/app", "", base, testregistry.Random("amd64", 2000))
	arm64 := s.Image("team/app", "", base, testregistry.Random("arm64", 2000))
	v1 := s.Index("team/app", "v1", amd64, arm64)
	s.Index("team/app", "all", v1, s.Image("team/app", "v0.9", base))
	signature := s.Referrer("team/app", v1, "application/vnd.example.signature", []byte("signature"))
	s.Referrer("team/app", signature, "application/vnd.example.stamp", []byte("stamp"))
	s.Referrer("team/app", arm64, "application/vnd.example.sbom", []byte("sbom"))
}

// fillTools puts what is not an OCI image.
func fillTools(s *testregistry.Seeder) {
	base := testregistry.Random("base", 300_000)
	s.DockerList("tools/make", "v1", s.DockerImage("tools/make", "", base), s.DockerImage("tools/make", "v1-arm64", []byte("arm64")))
	s.Artifact("charts/app", "0.1.0", "application/vnd.example.chart", []byte("chart"))
	s.Artifact("charts/app", "0.2.0", "application/vnd.example.chart")
	s.Artifact("charts/app", "1.0.0", "application/vnd.example.chart", []byte("not wanted"))
}

// sources are two registries, one with TLS and a password, one plain, both filled,
// and a desk that is logged in.
func sources(t *testing.T) (d *desk, secure, plain *realRegistry) {
	t.Helper()
	d = newDesk(t)
	secure = startRegistry(t, registryOptions{TLS: true, Password: true})
	plain = startRegistry(t, registryOptions{})
	d.login(secure)
	fillTeam(testregistry.NewSeeder(t, secure.Access))
	fillTools(testregistry.NewSeeder(t, plain.Access))
	d.write("vex.json", `{"statements": []}`)
	d.oras("attach", "--plain-http=false", "--ca-file", secure.CAFile, "--artifact-type", "application/vnd.example.vex",
		secure.Host+"/team/app:v1", "vex.json")
	return d, secure, plain
}

// registries is a spec that says how to reach the secure one, whose loopback name
// would else mean plain http.
func registries(secure *realRegistry) string {
	return fmt.Sprintf(`apiVersion: oras-mirror/v1alpha1
kind: Mirror
registries:
  - registry: %s
    plainHTTP: false
    caFile: %s
`, secure.Host, secure.CAFile)
}

// spec selects all of secure's team/app, one tag of plain's tools/make, and two of
// its charts.
func spec(secure, plain *realRegistry, more string) string {
	return registries(secure) + fmt.Sprintf(`sources:
  - %[1]s/team/app
  - %[2]s/tools/make:v1
  - repository: %[2]s/charts/app
    tags:
      include: ["0.*"]
output: bundle.tgz
`, secure.Host, plain.Host) + more
}

// selected returns the artifacts that the spec selects, under their names in the registries.
func selected(t *testing.T, secure, plain *realRegistry) testregistry.Contents {
	t.Helper()
	all, err := testregistry.Union(snapshot(t, secure.Access), snapshot(t, plain.Access))
	if err != nil {
		t.Fatal(err)
	}
	return all.Without("tools/make:v1-arm64").Without("charts/app:1.")
}

func TestBackupAndRestoreByASpec(t *testing.T) {
	d, secure, plain := sources(t)
	site := startRegistry(t, registryOptions{Storage: t.TempDir()})
	d.write("mirror.yaml", spec(secure, plain, fmt.Sprintf(`mappings:
  - source: %s/team
    target: platform
  - source: charts/app
    target: helm/app
    tags: [{source: 0.1.0, target: stable}]
targets:
  - %s/mirror
`, secure.Host, site.Host)))
	d.mirror("backup", "-f", "mirror.yaml").exits(0)
	if !d.exists("bundle.tgz") || d.exists("bundle.tgz.partial") {
		t.Fatalf("the folder has %v", d.files())
	}
	d.mirror("restore", "-f", "mirror.yaml", "--input", "bundle.tgz").exits(0)

	names := strings.NewReplacer("team/app", "mirror/platform/app", "tools/make", "mirror/tools/make",
		"charts/app:0.1.0", "mirror/helm/app:stable", "charts/app", "mirror/helm/app")
	want := selected(t, secure, plain).Map(names.Replace)
	same(t, want, site.Access)

	d.mirror("restore", "-f", "mirror.yaml", "--input", "bundle.tgz").exits(0)
	same(t, want, site.Access)
}

func TestADirectoryForOrasAndBack(t *testing.T) {
	d, secure, plain := sources(t)
	d.write("mirror.yaml", spec(secure, plain, ""))
	d.mirror("backup", "-f", "mirror.yaml", "-o", "mirror/").exits(0)

	tags := strings.Fields(d.oras("repo", "tags", "--oci-layout", "./mirror"))
	slices.Sort(tags)
	want := []string{
		plain.Host + "/charts/app:0.1.0",
		plain.Host + "/charts/app:0.2.0",
		plain.Host + "/tools/make:v1",
		secure.Host + "/team/app:all",
		secure.Host + "/team/app:v0.9",
		secure.Host + "/team/app:v1",
	}
	slices.Sort(want)
	if !slices.Equal(tags, want) {
		t.Errorf("oras lists %v, want %v", tags, want)
	}

	t.Run("namespace", func(t *testing.T) {
		site := startRegistry(t, registryOptions{})
		d.mirror("restore", "--input", "./mirror", site.Host+"/my-mirror").exits(0)
		same(t, selected(t, secure, plain).Prefix("my-mirror"), site.Access)
	})
	t.Run("no namespace", func(t *testing.T) {
		site := startRegistry(t, registryOptions{Token: true})
		d.login(site)
		d.mirror("restore", "--input", "./mirror", site.Host).exits(0)
		same(t, selected(t, secure, plain), site.Access)
	})
	t.Run("referrers API", func(t *testing.T) {
		site := testregistry.New(t, testregistry.Options{})
		d.mirror("restore", "--input", "./mirror", site.Host).exits(0)
		same(t, selected(t, secure, plain), site.Access())
	})
	t.Run("without referrers", func(t *testing.T) {
		site := startRegistry(t, registryOptions{})
		d.mirror("restore", "--exclude-referrers", "--input", "./mirror", site.Host).exits(0)
		same(t, selected(t, secure, plain).WithoutReferrers(), site.Access)
	})
	t.Run("only", func(t *testing.T) {
		site := startRegistry(t, registryOptions{})
		d.mirror("restore", "--input", "./mirror", site.Host, "--only", "**/charts/**").exits(0)
		same(t, selected(t, secure, plain).Without("team/").Without("tools/"), site.Access)
	})
	t.Run("dry run", func(t *testing.T) {
		site := startRegistry(t, registryOptions{})
		got := d.mirror("restore", "--input", "./mirror", site.Host+"/x", "--dry-run").exits(0)
		if !strings.Contains(got.stdout+got.stderr, site.Host+"/x/team/app:v1") {
			t.Errorf("it does not say where it would go:\n%s%s", got.stdout, got.stderr)
		}
		if contents := snapshot(t, site.Access); len(contents) != 0 {
			t.Errorf("it pushed %v", contents)
		}
	})
}

func TestPipes(t *testing.T) {
	d, secure, plain := sources(t)
	d.write("registries.yaml", registries(secure))
	list := fmt.Sprintf("# what we need\n%s/team/app\n\n%s/tools/make:v1\n%s/charts/app:0.1.0,0.2.0 # two\n",
		secure.Host, plain.Host, plain.Host)
	d.mirrorWith(strings.NewReader(list), "backup", "-f", "registries.yaml", "-o", "bundle.tgz", "-").exits(0)
	want := selected(t, secure, plain)

	t.Run("restore from standard input", func(t *testing.T) {
		site := startRegistry(t, registryOptions{})
		bundle, err := os.Open(d.path("bundle.tgz"))
		if err != nil {
			t.Fatal(err)
		}
		defer bundle.Close()
		// Without its other methods a file comes through a pipe.
		d.mirrorWith(struct{ io.Reader }{bundle}, "restore", "--input", "-", site.Host+"/x").exits(0)
		same(t, want.Prefix("x"), site.Access)
	})
	t.Run("backup to standard output", func(t *testing.T) {
		site := startRegistry(t, registryOptions{})
		stream := d.mirrorWith(strings.NewReader(list), "backup", "-f", "registries.yaml", "-o", "-", "-").exits(0)
		file, err := os.ReadFile(d.path("bundle.tgz"))
		if err != nil {
			t.Fatal(err)
		}
		if stream.stdout != string(file) {
			t.Error("the stream is not the file, byte by byte")
		}
		d.mirrorWith(strings.NewReader(stream.stdout), "restore", "--input", "-", site.Host+"/x").exits(0)
		same(t, want.Prefix("x"), site.Access)
	})
}
