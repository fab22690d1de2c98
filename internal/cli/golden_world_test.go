package cli

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/stories"
	"github.com/oras-mirror/oras-mirror/internal/testchart"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// goldenWorld has the registries of testdata/golden/mirror.yaml: two to back up from, one
// with TLS and the referrers API, one without either; and two to restore to. They are
// reached by the names in the spec, whatever their ports are.
type goldenWorld struct {
	t                *testing.T
	dir, spec        string
	sources, targets []*testregistry.Registry
	resolve          []string
}

func newGoldenWorld(t *testing.T) *goldenWorld {
	w := &goldenWorld{t: t, dir: t.TempDir()}
	api := testregistry.New(t, testregistry.Options{PageSize: 7})
	tags := testregistry.New(t, testregistry.Options{TLS: true, NoReferrersAPI: true, PageSize: 50})
	newer := testregistry.New(t, testregistry.Options{})
	older := testregistry.New(t, testregistry.Options{NoReferrersAPI: true, RejectSparse: true, RequireSubject: true})
	w.sources, w.targets = []*testregistry.Registry{api, tags}, []*testregistry.Registry{newer, older}
	for name, r := range map[string]*testregistry.Registry{"api.example:5000": api, "tags.example:5443": tags, "new.example:5000": newer, "old.example:5000": older} {
		w.resolve = append(w.resolve, "--resolve", name+":"+r.Host)
	}
	charts := testchart.Start(t, "/stable")
	charts.Add("app", "1.0.0+1", testchart.Chart(t, "app", "1.0.0+1", "annotations: {images: \"[api.example:5000/team/scratch:v1]\"}\n", nil))
	w.resolve = append(w.resolve, "--resolve", "charts.example:8080:"+charts.Host)
	fillGoldenAPI(api)
	byDigest := fillGoldenTags(tags)
	w.files(tags, byDigest)
	return w
}

// files writes the spec and the files that it names to a folder.
func (w *goldenWorld) files(secure *testregistry.Registry, byDigest ocispec.Descriptor) {
	w.t.Helper()
	if err := os.CopyFS(w.dir, os.DirFS("testdata/golden")); err != nil {
		w.t.Fatal(err)
	}
	_ = os.Remove(filepath.Join(w.dir, "mirror.lock.yaml"))
	if err := os.CopyFS(filepath.Join(w.dir, "vendor"), os.DirFS("testdata/layout")); err != nil {
		w.t.Fatal(err)
	}
	w.spec = filepath.Join(w.dir, "mirror.yaml")
	list := filepath.Join(w.dir, "images.txt")
	certificate := testregistry.NewCertificate(w.t)
	for path, data := range map[string][]byte{
		list:                                    append(contentOf(w.t, list), "tags.example:5443/listed@"+byDigest.Digest.String()+"\n"...),
		filepath.Join(w.dir, "certs", "ca.pem"): secure.CA,
		filepath.Join(w.dir, "certs", "a-box.pem"): certificate.Certificate,
		filepath.Join(w.dir, "certs", "a-box.key"): certificate.Key,
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			w.t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	w.t.Setenv("CLIENT", "a-box")
	w.t.Setenv("PATH", fakeHelm(w.t)+string(os.PathListSeparator)+os.Getenv("PATH"))
	w.t.Setenv("SITE", "site-7")
}

// fakeHelm returns a folder with a helm that renders every chart to a pod.
func fakeHelm(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	script := "#!/bin/sh\necho '{kind: Pod, apiVersion: v1, spec: {containers: [{image: \"tags.example:5443/deployed:v1\"}]}}'\n"
	if err := os.WriteFile(filepath.Join(folder, "helm"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return folder
}

// run runs a command line that must succeed, and returns its standard output.
func (w *goldenWorld) run(args ...string) string {
	w.t.Helper()
	if args[0] != "verify" {
		args = append(args, w.resolve...)
	}
	code, stdout, stderr := try(w.t, "", args...)
	if code != 0 {
		w.t.Fatalf("%v: exit code %d\n%s", args, code, stderr)
	}
	return stdout
}

// fillGoldenAPI fills the registry with the referrers API: most of the 40 repositories and
// 600 tags.
func fillGoldenAPI(r *testregistry.Registry) {
	for i := range 34 {
		for k := range 17 {
			r.Image(fmt.Sprintf("team/r%02d", i), fmt.Sprintf("v%d", k), []byte("base"), fmt.Appendf(nil, "%d %d", i, k%4))
		}
	}
	r.Image("team/scratch", "v1", []byte("not wanted"))
	for _, tag := range []string{"v1", "v2"} {
		stories.Platforms(r, "team/multi", tag, [][]byte{[]byte("base")})
	}
	image := r.Image("cosign", "v1", []byte("base"))
	name := "sha256-" + image.Digest.Encoded()
	r.Image("cosign", name+".sig", []byte("signature"))
	r.Image("cosign", name+".sbom", []byte("sbom"))

	// The list under the tag is older than the API of the registry, which does not use it.
	old := r.Image("both", "v1", []byte("base"))
	r.Referrer("both", old, "application/vnd.example.new", []byte("by the API"))
	hidden := r.Referrer("both", old, "application/vnd.example.old", []byte("by the tag"))
	hidden.ArtifactType = "application/vnd.example.old"
	r.Manifest("both", "sha256-"+old.Digest.Encoded(), ocispec.MediaTypeImageIndex, ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{hidden},
	})
	r.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if strings.HasSuffix(req.URL.Path, "/both/referrers/"+old.Digest.String()) {
			return testregistry.WithoutReferrer(hidden.Digest)
		}
		return nil
	})
}

// fillGoldenTags fills the registry without the API: nested indexes, versions, builds, and
// artifacts that the spec names by a digest.
func fillGoldenTags(r *testregistry.Registry) (byDigest ocispec.Descriptor) {
	for _, tag := range []string{"v1", "v2"} {
		image := r.Image("signed", tag, []byte("base"), []byte(tag))
		sbom := r.Referrer("signed", image, "application/vnd.example.sbom", []byte("sbom of "+tag))
		r.Referrer("signed", sbom, "application/vnd.example.signature", []byte("signature of the sbom of "+tag))
		multi := r.Index("multi", tag, r.Image("multi", "", []byte("amd64"+tag)), r.Image("multi", "", []byte("arm64"+tag)))
		r.Referrer("multi", multi, "application/vnd.example.signature", []byte("signature of "+tag))
		r.Referrer("multi", multi, "application/vnd.example.provenance", []byte("not wanted of "+tag))
		r.Image("listed", tag, []byte("base"), []byte("listed "+tag))
	}
	for _, tag := range []string{"v0.1.0", "v0.2.0", "v1.9.0", "v1.10.0"} {
		amd64, arm64 := r.Image("nested", "", []byte("amd64 "+tag)), r.Image("nested", "", []byte("arm64 "+tag))
		arm64.Platform = &ocispec.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}
		arm := r.Image("nested", "", []byte("arm "+tag))
		arm.Platform = &ocispec.Platform{OS: "linux", Architecture: "arm"}
		attestation := r.Image("nested", "", []byte("attestation of arm64 "+tag))
		attestation.Platform = &ocispec.Platform{OS: "unknown", Architecture: "unknown"}
		attestation.Annotations = map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": arm64.Digest.String()}
		inner := r.Index("nested", "", arm64, attestation, arm)
		r.Manifest("nested", tag, ocispec.MediaTypeImageIndex, ocispec.Index{
			Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex,
			Manifests: []ocispec.Descriptor{amd64For(amd64), inner},
		})
		r.Image("releases", tag, []byte("base"), []byte("release "+tag))
	}
	for _, tag := range []string{"nightly-c", "nightly-a", "nightly-b", "stable"} {
		r.Image("builds", tag, []byte("base"), []byte("build "+tag))
	}
	for _, tag := range []string{"build-100", "build-9", "build-10", "stable"} {
		r.Image("numbered", tag, []byte("base"), []byte("number "+tag))
	}
	r.Image("deployed", "v1", []byte("base"), []byte("deployed"))
	return r.Image("listed", "", []byte("base"), []byte("by its digest"))
}

func amd64For(image ocispec.Descriptor) ocispec.Descriptor {
	image.Platform = &ocispec.Platform{OS: "linux", Architecture: "amd64"}
	return image
}
