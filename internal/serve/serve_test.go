package serve

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/serve/content"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// TestServesAllThatAnInputHas: tags, manifests, blobs and referrers, out of every kind of
// input.
func TestServesAllThatAnInputHas(t *testing.T) {
	for _, input := range kinds {
		t.Run(input, func(t *testing.T) {
			w := newWorld(t)
			source := w.backup(input, "registry.example", fillTeam)
			s := w.serve(input)
			s.same(source, asIs)
			s.same(source, asIs) // once more, without hashing
			if said := s.saidAll(); said != "" {
				t.Error(said)
			}
		})
	}
}

// TestReferrersOfAnEarlierVersion: an index.json without subjects, where only the manifests
// have them.
func TestReferrersOfAnEarlierVersion(t *testing.T) {
	w := newWorld(t)
	source := w.backup("layout/", "registry.example", fillTeam)
	w.rename(w.path("layout"), "io.github.oras-mirror.subject", "com.example.other")
	w.serve("layout").same(source, asIs)
}

func TestBase(t *testing.T) {
	w := newWorld(t)
	w.backup("bundle.tgz", "registry.example", fillTeam)
	s := w.serve("bundle.tgz")
	for _, path := range []string{"/v2/", "/v2"} {
		if a := s.get(path); a.status != http.StatusOK || a.body != "{}\n" || a.header.Get("Docker-Distribution-API-Version") != "registry/2.0" {
			t.Errorf("%s: %+v", path, a)
		}
	}
	s.get("/").is(t, "/", 404, "NAME_UNKNOWN")
	for _, method := range []string{"PUT", "POST", "PATCH", "DELETE", "OPTIONS", "BREW"} {
		for _, path := range []string{"/v2/", "/v2/team/app/manifests/v1", "/v2/team/app/blobs/uploads/", "/v2/nowhere/else"} {
			a := s.do(method, path).is(t, method+" "+path, 405, "UNSUPPORTED")
			if a.header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %v", method, path, a.header)
			}
		}
	}
}

func TestManifestHeaders(t *testing.T) {
	w := newWorld(t)
	source := w.backup("bundle.tgz", "registry.example", fillTeam)
	s := w.serve("bundle.tgz")
	for tag, mediaType := range map[string]string{"team/app:v1": ocispec.MediaTypeImageIndex, "charts/app:0.1.0": ocispec.MediaTypeImageManifest, "tools/make:v1": testregistry.MediaTypeDockerList} {
		repository, name, _ := strings.Cut(tag, ":")
		want := source.Resolve(repository, name)
		for _, reference := range []string{name, want.String()} {
			path := "/v2/" + repository + "/manifests/" + reference
			get, head := s.get(path), s.do(http.MethodHead, path)
			if get.status != 200 || head.status != 200 || digest.FromString(get.body) != want || head.body != "" {
				t.Errorf("%s: %d, %d", path, get.status, head.status)
			}
			for _, a := range []answer{get, head} {
				for key, value := range map[string]string{"Content-Type": mediaType, "Docker-Content-Digest": want.String(),
					"Content-Length": fmt.Sprint(len(get.body)), "ETag": `"` + want.String() + `"`} {
					if got := a.header.Get(key); got != value {
						t.Errorf("%s: %s is %q, want %q", path, key, got, value)
					}
				}
			}
			if a := s.get(path, `If-None-Match: "`+want.String()+`"`); a.status != http.StatusNotModified || a.body != "" {
				t.Errorf("%s: %+v", path, a)
			}
		}
	}
}

func TestUnknownNames(t *testing.T) {
	w := newWorld(t)
	source := w.backup("layout/", "registry.example", fillTeam)
	s := w.serve("layout")
	none := digest.FromString("none").String()
	blob := digest.FromString("chart").String()
	for path, want := range map[string]string{
		"/v2/nowhere/manifests/v1":                   "404 NAME_UNKNOWN",
		"/v2/nowhere/blobs/" + blob:                  "404 NAME_UNKNOWN",
		"/v2/nowhere/tags/list":                      "404 NAME_UNKNOWN",
		"/v2/nowhere/referrers/" + blob + "?ns=a.io": "404 NAME_UNKNOWN",
		"/v2/team/app/manifests/v2":                  "404 MANIFEST_UNKNOWN",
		"/v2/team/app/manifests/" + none:             "404 MANIFEST_UNKNOWN",
		"/v2/team/app/manifests/" + blob:             "404 MANIFEST_UNKNOWN", // a blob is no manifest
		"/v2/team/app/blobs/" + none:                 "404 BLOB_UNKNOWN",
		"/v2/team/app/blobs/sha256:short":            "400 DIGEST_INVALID",
		"/v2/team/app/manifests/sha256:short":        "400 DIGEST_INVALID",
		"/v2/team/app/referrers/sha256:short":        "400 DIGEST_INVALID",
		"/v2/team/app/manifests/-v1":                 "404 MANIFEST_UNKNOWN",
		"/v2/Team/app/manifests/v1":                  "400 NAME_INVALID",
		"/v2/team/app/tags/list?n=x":                 "400 UNSUPPORTED",
		"/v2/team/app/tags/list?n=-1":                "400 UNSUPPORTED",
		"/v2/team/app/tags/other":                    "404 NAME_UNKNOWN",
		"/v2/x":                                      "404 NAME_UNKNOWN",
		"/v2/team/app/manifests/v1?ns=other.io":      "404 NAME_UNKNOWN",
		"/v2/registry.example/team/app/blobs/a:b":    "400 DIGEST_INVALID",
	} {
		a, head := s.get(path), s.do(http.MethodHead, path)
		if got := fmt.Sprint(a.status, " ", a.code()); got != want || head.status != a.status || head.body != "" {
			t.Errorf("%s: %s, HEAD %d, want %s", path, got, head.status, want)
		}
	}
	// Any repository reads what the input has, children of indexes too.
	if a := s.get("/v2/team/app/blobs/" + blob); a.body != "chart" {
		t.Error(a)
	}
	_ = source
}

// TestNamesThatTryToLeave: nothing of the file system is reached, and nothing is redirected.
func TestNamesThatTryToLeave(t *testing.T) {
	w := newWorld(t)
	w.backup("layout/", "registry.example", fillTeam)
	s := w.serve("layout")
	long := strings.Repeat("a", 5000)
	for _, path := range []string{
		"/v2/../../etc/passwd", "/v2/team/../app/manifests/v1", "/v2/%2e%2e/%2e%2e/etc/manifests/passwd", "/v2/team%2f..%2fapp/manifests/v1",
		"/v2/team/app/blobs/..%2f..%2findex.json", "/v2/team/app/blobs/sha256:..%2f..%2f..%2findex.json", "/v2/team/app/manifests/..",
		"/v2/team/app/blobs/sha256/../../index.json", "/v2//team//app/manifests/v1", "/v2/" + long + "/manifests/v1", "/v2/team/app/manifests/" + long,
		"/v2/team/app/blobs/sha256:" + long, "/v2/team/app/manifests/v1%00", "/v2/team/app/blobs/sha256:%2e%2e", "/../index.json", "/index.json",
	} {
		if a := s.get(path); a.status != 400 && a.status != 404 || a.code() == "" || strings.Contains(a.body, "schemaVersion") {
			t.Errorf("%.100s: %d %s", path, a.status, a.body)
		}
	}
}

func TestPagesOfLists(t *testing.T) {
	w := newWorld(t)
	w.backup("layout/", "registry.example", func(s *testregistry.Seeder) {
		for _, tag := range []string{"b", "A", "c", "B", "a.1"} {
			s.Artifact("team/app", tag, "application/vnd.example", []byte(tag))
		}
		s.Artifact("a/b", "v1", "application/vnd.example")
		s.Artifact("a/c", "v1", "application/vnd.example")
	})
	s := w.serve("layout")
	for path, want := range map[string][2]string{
		"/v2/team/app/tags/list":                {"A B a.1 b c", ""},
		"/v2/team/app/tags/list?n=2":            {"A B", `</v2/team/app/tags/list?last=B&n=2>; rel="next"`},
		"/v2/team/app/tags/list?n=2&last=B":     {"a.1 b", `</v2/team/app/tags/list?last=b&n=2>; rel="next"`},
		"/v2/team/app/tags/list?n=2&last=b":     {"c", ""},
		"/v2/team/app/tags/list?n=5":            {"A B a.1 b c", ""},
		"/v2/team/app/tags/list?last=aa":        {"b c", ""},
		"/v2/team/app/tags/list?last=zzz":       {"", ""},
		"/v2/team/app/tags/list?n=0":            {"", ""},
		"/v2/team/app/tags/list?n=99999999":     {"A B a.1 b c", ""},
		"/v2/_catalog":                          {"a/b a/c team/app", ""},
		"/v2/_catalog?n=1":                      {"a/b", `</v2/_catalog?last=a%2Fb&n=1>; rel="next"`},
		"/v2/_catalog?n=1&last=a/b":             {"a/c", `</v2/_catalog?last=a%2Fc&n=1>; rel="next"`},
		"/v2/_catalog?n=1&last=a/c":             {"team/app", ""},
		"/v2/_catalog?n=0":                      {"", ""},
		"/v2/_catalog?ns=registry.example&n=1":  {"a/b", `</v2/_catalog?last=a%2Fb&n=1&ns=registry.example>; rel="next"`},
		"/v2/_catalog?ns=elsewhere.example":     {"", ""},
		"/v2/registry.example/a/b/tags/list":    {"v1", ""},
		"/v2/a/b/tags/list?ns=Registry.Example": {"v1", ""},
	} {
		key := "tags"
		if strings.Contains(path, "_catalog") {
			key = "repositories"
		}
		a := s.get(path)
		if got := strings.Join(a.list(t, key), " "); got != want[0] || a.header.Get("Link") != want[1] || a.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %q, %q, want %q", path, got, a.header.Get("Link"), want)
		}
	}
}

func TestReferrers(t *testing.T) {
	w := newWorld(t)
	source := w.backup("bundle.tgz", "registry.example", fillTeam)
	s := w.serve("bundle.tgz")
	subject := source.Resolve("team/app", "v1").String()
	path := "/v2/team/app/referrers/" + subject
	for query, want := range map[string]int{"": 1, "?artifactType=application/vnd.example.sbom": 1, "?artifactType=other": 0} {
		a := s.get(path + query)
		if n := strings.Count(a.body, `"artifactType"`); n != want || a.header.Get("Content-Type") != ocispec.MediaTypeImageIndex || !strings.Contains(a.body, `"manifests":[`) {
			t.Errorf("%q: %d referrers in %s", query, n, a.body)
		}
		if got := a.header.Get("OCI-Filters-Applied"); (got == "artifactType") != (query != "") {
			t.Errorf("%q: filters %q", query, got)
		}
	}
	// In another repository of the bundle the same subject has none: they came from this one.
	a := s.get("/v2/charts/app/referrers/" + subject)
	if a.status != 200 || strings.Count(a.body, `"digest"`) != 0 {
		t.Error(a)
	}
	a = s.get("/v2/team/app/referrers/" + digest.FromString("unknown").String())
	if a.status != 200 || a.body != `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`+"\n" {
		t.Error(a)
	}
}

// TestPagesOfReferrers: a subject with thousands is listed in pages that clients can read.
func TestPagesOfReferrers(t *testing.T) {
	w := newWorld(t)
	var subject ocispec.Descriptor
	w.backup("bundle.tgz", "registry.example", func(s *testregistry.Seeder) {
		subject = s.Image("team/app", "v1")
		for i := range maxReferrers + 5 {
			s.Referrer("team/app", subject, "application/vnd.example", fmt.Appendf(nil, "%d", i))
		}
	})
	s := w.serve("bundle.tgz")
	first := s.get("/v2/team/app/referrers/" + subject.Digest.String() + "?artifactType=application/vnd.example")
	link, _, _ := strings.Cut(strings.TrimPrefix(first.header.Get("Link"), "<"), ">")
	second := s.get(link)
	count := func(a answer) int { return strings.Count(a.body, `"artifactType"`) }
	if count(first) != maxReferrers || count(second) != 5 || second.header.Get("Link") != "" {
		t.Errorf("%d and %d referrers, link %s", count(first), count(second), link)
	}
}

// hub is a registry with one image of some content.
func hub(repository, tag, content string) func(*testregistry.Seeder) {
	return func(s *testregistry.Seeder) { s.Artifact(repository, tag, "application/vnd.example", []byte(content)) }
}

func TestNamesOfOneProcessForManyRegistries(t *testing.T) {
	w := newWorld(t)
	k8s := w.backup("k8s.tgz", "registry.k8s.io", hub("pause", "3.10", "pause"))
	docker := w.backup("hub.tgz", "docker.io", hub("library/nginx", "1.27", "nginx"))
	port := w.backup("port.tgz", "127.0.0.1:5000", hub("team/app", "v1", "app"))
	s := w.serve("k8s.tgz", "hub.tgz", "port.tgz")
	pause, nginx, app := k8s.Resolve("pause", "3.10"), docker.Resolve("library/nginx", "1.27"), port.Resolve("team/app", "v1")
	for path, want := range map[string]digest.Digest{
		"/v2/pause/manifests/3.10":                                                pause,
		"/v2/registry.k8s.io/pause/manifests/3.10":                                pause,
		"/v2/registry.k8s.io/pause/manifests/3.10?ns=registry.k8s.io":             pause,
		"/v2/pause/manifests/3.10?ns=registry.k8s.io":                             pause,
		"/v2/pause/manifests/3.10?ns=docker.io":                                   "",
		"/v2/registry.k8s.io/pause/manifests/3.10?ns=docker.io":                   "",
		"/v2/pause/manifests/" + pause.String() + "?ns=docker.io":                 "",
		"/v2/pause/manifests/" + pause.String() + "?ns=registry.k8s.io":           pause,
		"/v2/library/nginx/manifests/1.27":                                        nginx,
		"/v2/docker.io/library/nginx/manifests/1.27":                              nginx,
		"/v2/docker.io/nginx/manifests/1.27":                                      nginx,
		"/v2/index.docker.io/library/nginx/manifests/1.27":                        nginx,
		"/v2/library/nginx/manifests/1.27?ns=docker.io":                           nginx,
		"/v2/nginx/manifests/1.27?ns=registry-1.docker.io":                        nginx,
		"/v2/team/app/manifests/v1":                                               app,
		"/v2/team/app/manifests/v1?ns=127.0.0.1:5000":                             app,
		"/v2/127.0.0.1:5000/team/app/manifests/v1?ns=127.0.0.1:5000":              app,
		"/v2/library/nginx/manifests/1.27?ns=127.0.0.1:5000":                      "",
		"/v2/registry.k8s.io/library/nginx/manifests/1.27?ns=docker.io":           "",
		"/v2/registry.k8s.io/library/nginx/manifests/1.27":                        "",
		"/v2/docker.io/library/nginx/manifests/" + nginx.String() + "?ns=quay.io": "",
	} {
		a := s.get(path)
		if want != "" && (a.status != 200 || digest.FromString(a.body) != want) || want == "" && a.status != 404 {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if got := s.get("/v2/_catalog").list(t, "repositories"); !slices.Equal(got, []string{"library/nginx", "pause", "team/app"}) {
		t.Error(got)
	}
}

// TestTwoSourcesOfOneName: the name is an error that names both; each has another name.
func TestTwoSourcesOfOneName(t *testing.T) {
	w := newWorld(t)
	one := w.backup("one.tgz", "one.example", func(s *testregistry.Seeder) { hub("app", "v1", "one")(s); hub("app", "v2", "both")(s) })
	two := w.backup("two.tgz", "two.example", func(s *testregistry.Seeder) { hub("app", "v1", "two")(s); hub("app", "v2", "both")(s) })
	s := w.serve("one.tgz", "two.tgz")
	a := s.get("/v2/app/manifests/v1").is(t, "the name", 404, "MANIFEST_UNKNOWN")
	if !strings.Contains(a.body, "app:v1 is both one.example/app:v1 and two.example/app:v1") {
		t.Error(a.body)
	}
	if said := s.saidAll(); said != "app:v1 is not served: it is both one.example/app:v1 and two.example/app:v1" {
		t.Error(said)
	}
	for path, want := range map[string]digest.Digest{
		"/v2/one.example/app/manifests/v1":    one.Resolve("app", "v1"),
		"/v2/app/manifests/v1?ns=two.example": two.Resolve("app", "v1"),
		"/v2/app/manifests/v2":                one.Resolve("app", "v2"),
	} {
		if a := s.get(path); digest.FromString(a.body) != want {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

// TestOneNameInTwoInputs: monday's and tuesday's bundle of a tag that moved.
func TestOneNameInTwoInputs(t *testing.T) {
	w := newWorld(t)
	w.backup("monday.tgz", "one.example", hub("app", "v1", "monday"))
	w.backup("tuesday.tgz", "one.example", hub("app", "v1", "tuesday"))
	s := w.serve("monday.tgz", "tuesday.tgz")
	a := s.get("/v2/one.example/app/manifests/v1").is(t, "the name", 404, "MANIFEST_UNKNOWN")
	if !strings.Contains(a.body, "monday.tgz") || !strings.Contains(a.body, "tuesday.tgz") || !strings.Contains(s.saidAll(), "tuesday.tgz") {
		t.Error(a.body, s.saidAll())
	}
}

func TestMappedNames(t *testing.T) {
	w := newWorld(t)
	source := w.backup("bundle.tgz", "quay.io", func(s *testregistry.Seeder) {
		hub("coreos/etcd", "v3.5", "etcd")(s)
		hub("secret/app", "v1", "secret")(s)
	})
	mapper, err := config.NewMapper([]config.Mapping{
		{Source: "quay.io/secret", Exclude: true},
		{Source: "quay.io", Target: "quay", Tags: []config.TagMapping{{Source: "v*", Target: "*"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := w.serveWith(content.Options{Mapper: mapper}, "bundle.tgz")
	etcd := source.Resolve("coreos/etcd", "v3.5")
	for path, want := range map[string]digest.Digest{
		"/v2/quay/coreos/etcd/manifests/3.5":              etcd,
		"/v2/quay/coreos/etcd/manifests/v3.5":             "",
		"/v2/quay/coreos/etcd/manifests/3.5?ns=quay.io":   etcd,
		"/v2/quay/coreos/etcd/manifests/3.5?ns=docker.io": "",
		"/v2/quay.io/coreos/etcd/manifests/v3.5":          etcd,
		"/v2/coreos/etcd/manifests/v3.5?ns=quay.io":       etcd,
		"/v2/coreos/etcd/manifests/v3.5":                  "",
		"/v2/quay.io/secret/app/manifests/v1":             "",
		"/v2/secret/app/manifests/v1?ns=quay.io":          "",
	} {
		if a := s.get(path); want != "" && digest.FromString(a.body) != want || want == "" && a.status != 404 {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if got := s.get("/v2/quay/coreos/etcd/tags/list").list(t, "tags"); !slices.Equal(got, []string{"3.5"}) {
		t.Error(got)
	}
}
