package testregistry

import (
	"io"
	"log"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
)

// fill puts one of everything into a registry.
func fill(s *Seeder) {
	base := Random("base", 10_000)
	amd64 := s.Image("team/app", "", base, Random("amd64", 1000))
	arm64 := s.Image("team/app", "", base, Random("arm64", 1000))
	index := s.Index("team/app", "v1", amd64, arm64)
	s.Index("team/app", "nested", index, s.Image("team/app", "alone"))
	signature := s.Referrer("team/app", index, "application/vnd.example.signature", []byte("signature"))
	s.Referrer("team/app", signature, "application/vnd.example.stamp", []byte("stamp"))
	s.Referrer("team/app", arm64, "application/vnd.example.sbom", []byte("sbom"))
	s.DockerList("docker", "v1", s.DockerImage("docker", "", base), s.DockerImage("docker", "one", Random("two", 10)))
	s.Artifact("charts/app", "1.0.0", "application/vnd.example.chart", []byte("chart"))
	s.Artifact("charts/app", "empty", "application/vnd.example.marker")
	s.RetiredArtifact("charts/app", "retired", "application/vnd.example.old", nil, []byte("old"))
}

// filled starts a registry and fills it, directly or over HTTP.
func filled(t *testing.T, o Options, overHTTP bool) Access {
	t.Helper()
	r := New(t, o)
	if overHTTP {
		fill(NewSeeder(t, r.Access()))
	} else {
		fill(r.Seeder)
	}
	return r.Access()
}

// foreign is a registry of go-containerregistry.
func foreign(t *testing.T) Access {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	access := Access{Host: strings.TrimPrefix(server.URL, "http://"), PlainHTTP: true}
	fill(NewSeeder(t, access))
	return access
}

func snapshot(t *testing.T, access Access, extra ...string) Contents {
	t.Helper()
	contents, err := Snapshot(t.Context(), access, extra...)
	if err != nil {
		t.Fatal(err)
	}
	return contents
}

func TestEveryRegistryShowsTheSame(t *testing.T) {
	want := snapshot(t, filled(t, Options{}, false))
	if len(want) != 8 {
		t.Errorf("%d tags, want 8", len(want))
	}
	if n := len(want["team/app:v1"].Graph); n != 3+5+3+3+4 {
		t.Errorf("v1 has %d items: %v", n, want["team/app:v1"].Graph)
	}
	for name, access := range map[string]Access{
		"no referrers API, pages": filled(t, Options{NoReferrersAPI: true, PageSize: 2}, false),
		"over http, pages":        filled(t, Options{PageSize: 1}, true),
		"over http, fallback":     filled(t, Options{NoReferrersAPI: true, NoDelete: true}, true),
		"TLS and password":        filled(t, Options{TLS: true, Username: "u", Password: "p"}, true),
		"HTTP/2":                  filled(t, Options{TLS: true, HTTP2: true}, true),
		"tokens":                  filled(t, Options{Token: true, Username: "u", Password: "p"}, true),
		"strict":                  filled(t, Options{RejectSparse: true, RequireSubject: true, NoRange: true, NoMount: true}, true),
		"go-containerregistry":    foreign(t),
	} {
		t.Run(name, func(t *testing.T) {
			for _, line := range Diff(want, snapshot(t, access)) {
				t.Error(line)
			}
		})
	}
}

func TestDiffTellsWhatIsMissing(t *testing.T) {
	a, b := New(t, Options{}), New(t, Options{})
	for _, r := range []*Registry{a, b} {
		image := r.Image("app", "v1", []byte("layer"))
		r.Referrer("app", image, "application/vnd.example.signature", []byte("signature"))
	}
	a.Image("app", "v2")
	b.Image("app", "v1", []byte("another"))
	want, got := snapshot(t, a.Access()), snapshot(t, b.Access())
	missing := Missing(want, got)
	if len(missing) != 9 || missing[len(missing)-1] != "app:v2: missing" {
		t.Errorf("missing:\n%s", strings.Join(missing, "\n"))
	}
	if diff := Diff(want, got); len(diff) != 9+3 {
		t.Errorf("diff:\n%s", strings.Join(diff, "\n"))
	}
	if diff := Diff(want, want.Prefix("x")); len(diff) != 2+2 {
		t.Errorf("diff of another name:\n%s", strings.Join(diff, "\n"))
	}
	if diff := Diff(want.WithoutReferrers(), want); len(diff) != 4 {
		t.Errorf("diff of referrers:\n%s", strings.Join(diff, "\n"))
	}
	if left := want.Without("app:v1"); len(left) != 1 {
		t.Errorf("without v1: %v", left)
	}
}

func TestSnapshotFindsFaults(t *testing.T) {
	for name, spoil := range map[string]func(r *Registry){
		"blob gone":     func(r *Registry) { r.Remove("app", describe("", []byte("layer"))) },
		"child gone":    func(r *Registry) { r.Remove("app", r.Image("app", "", []byte("layer"))) },
		"blob wrong":    func(r *Registry) { r.Fault(Always("GET blob", Flip(3))) },
		"referrer gone": func(r *Registry) { r.Remove("app", describe("", []byte("signature"))) },
	} {
		t.Run(name, func(t *testing.T) {
			r := New(t, Options{})
			index := r.Index("app", "v1", r.Image("app", "", []byte("layer")))
			r.Referrer("app", index, "application/vnd.example.signature", []byte("signature"))
			if _, err := Snapshot(t.Context(), r.Access()); err != nil {
				t.Fatal(err)
			}
			spoil(r)
			if contents, err := Snapshot(t.Context(), r.Access()); err == nil {
				t.Errorf("no error, %v", contents)
			}
		})
	}
}

func TestSnapshotOfAnUntaggedArtifact(t *testing.T) {
	r := New(t, Options{})
	name := "app@" + r.Artifact("app", "", "application/vnd.example").Digest.String()
	if got := snapshot(t, r.Access()); len(got) != 0 {
		t.Errorf("not requested: %v", got)
	}
	if got := snapshot(t, r.Access(), name); len(got[name].Graph) != 2 {
		t.Errorf("got %v", got)
	}
	if _, err := Snapshot(t.Context(), r.Access(), "other"+name); err == nil {
		t.Error("no error for a repository that is not there")
	}
}

func TestUnion(t *testing.T) {
	a := snapshot(t, filled(t, Options{}, false))
	both, err := Union(a.Prefix("x"), a)
	if err != nil || len(both) != 2*len(a) {
		t.Errorf("%d names, %v", len(both), err)
	}
	if _, err := Union(a, a.WithoutReferrers()); err == nil {
		t.Error("two different artifacts of one name made no error")
	}
}

func TestReferrersAreListedByFallbackTag(t *testing.T) {
	r := New(t, Options{NoReferrersAPI: true})
	image := r.Image("app", "v1")
	r.Referrer("app", image, "application/vnd.example.one", []byte("1"))
	r.Referrer("app", image, "application/vnd.example.two", []byte("2"))
	want := []string{"sha256-" + image.Digest.Encoded(), "v1"}
	if got := r.Tags("app"); !slices.Equal(got, want) {
		t.Errorf("tags %v, want %v", got, want)
	}
	graph := snapshot(t, r.Access())["app:v1"].Graph
	if len(graph) != 1+1+2*(1+1+1)+1 {
		t.Errorf("graph %v", graph)
	}
}
