package serve

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// TestErrorsHaveCodesOfTheSpec: the codes of errors are those of distribution-spec 1.1, which
// has no others.
func TestErrorsHaveCodesOfTheSpec(t *testing.T) {
	w := newWorld(t)
	w.backup("layout/", "registry.example", fillTeam)
	s := w.serve("layout")
	blob := "/v2/team/app/blobs/" + digest.FromString("chart").String()
	for _, tt := range []struct {
		method, path, header string
		status               int
		code                 string
	}{
		{"GET", "/v2/team/app/manifests/.INVALID_MANIFEST_NAME", "", 404, "MANIFEST_UNKNOWN"}, // what the conformance suite asks for
		{"GET", "/v2/team/app/manifests/" + strings.Repeat("a", 129), "", 404, "MANIFEST_UNKNOWN"},
		{"GET", "/v2/team/app/manifests/sha256:totallywrong", "", 400, "DIGEST_INVALID"},
		{"GET", "/v2/team/app/tags/list?n=x", "", 400, "UNSUPPORTED"},
		{"GET", "/v2/team/app/tags/list?n=-1", "", 400, "UNSUPPORTED"},
		{"GET", "/v2/_catalog?n=1.5", "", 400, "UNSUPPORTED"},
		{"GET", "/v2/team/app/manifests/v1?ns=quay.io;x", "", 400, "UNSUPPORTED"},
		{"GET", "/v2/team/app/manifests/v1?ns=%zz", "", 400, "UNSUPPORTED"},
		{"GET", blob, "Range: bytes=9-", 416, "SIZE_INVALID"},
		{"PUT", "/", "", 405, "UNSUPPORTED"},
		{"DELETE", "/anything", "", 405, "UNSUPPORTED"},
		{"POST", "/v2/team/app/blobs/uploads/", "", 405, "UNSUPPORTED"},
	} {
		headers := []string{tt.header}
		if tt.header == "" {
			headers = nil
		}
		s.do(tt.method, tt.path, headers...).is(t, tt.method+" "+tt.path, tt.status, tt.code)
	}
	if a := s.get("/v2/team/app/tags/list?n=99999999999999999999"); a.status != http.StatusOK || len(a.list(t, "tags")) != 2 {
		t.Errorf("more than an integer holds: %d %s", a.status, a.body)
	}
}

// TestReferrersOfAnUnknownRepository: a registry with the referrers API never answers 404,
// which would make clients ask for a tag instead. A mirror does, so that its client asks the
// next host.
func TestReferrersOfAnUnknownRepository(t *testing.T) {
	w := newWorld(t)
	w.backup("layout/", "registry.example", fillTeam)
	s := w.serve("layout")
	path := "/v2/nowhere/else/referrers/" + digest.FromString("none").String()
	if a := s.get(path); a.status != http.StatusOK || !strings.Contains(a.body, `"manifests":[]`) {
		t.Errorf("%d %s", a.status, a.body)
	}
	s.get(path+"?ns=quay.io").is(t, "of a mirror", 404, "NAME_UNKNOWN")
	s.get("/v2/nowhere/else/referrers/sha256:short").is(t, "of an invalid digest", 400, "DIGEST_INVALID")
	s.get("/v2/NOWHERE/referrers/"+digest.FromString("none").String()).is(t, "of an invalid name", 400, "NAME_INVALID")
}

// TestOrderOfTags: tags are in the order of their bytes, which clients that go on behind a
// tag take for granted.
func TestOrderOfTags(t *testing.T) {
	w := newWorld(t)
	names := []string{"a", "B", "c", "A", "_x", "b.1", "b-1", "C2"}
	w.backup("layout/", "registry.example", func(s *testregistry.Seeder) {
		for _, name := range names {
			s.Artifact("team/app", name, "application/vnd.example", []byte(name))
		}
	})
	s := w.serve("layout")
	slices.Sort(names)
	if got := s.get("/v2/team/app/tags/list").list(t, "tags"); !slices.Equal(got, names) {
		t.Errorf("%q, want %q", got, names)
	}
	for i, last := range names {
		if got := s.get("/v2/team/app/tags/list?last="+last).list(t, "tags"); !slices.Equal(got, names[i+1:]) {
			t.Errorf("behind %s: %q, want %q", last, got, names[i+1:])
		}
	}
}

// TestArchiveThatIsChangedInPlace: what was hashed before the file changed is hashed again.
func TestArchiveThatIsChangedInPlace(t *testing.T) {
	for _, input := range []string{"bundle.tar", "bundle.tgz"} {
		w, path := withLarge(t, input)
		s := w.serve(input)
		if a := s.get(path); a.status != 200 || a.err != nil {
			t.Fatal(a.status, a.err)
		}
		before, err := os.Stat(w.path(input))
		if err != nil {
			t.Fatal(err)
		}
		flip(t, w.path(input), large(), 5000)
		later := before.ModTime().Add(1e9)
		if err := os.Chtimes(w.path(input), later, later); err != nil {
			t.Fatal(err)
		}
		if a := s.get(path); a.status == 200 && a.err == nil {
			t.Errorf("%s: the damaged blob arrived whole", input)
		}
	}
}

// TestReferrersNamedByDigest: a referrer that was backed up by its digest, alone, is one too,
// whatever its subject is.
func TestReferrersNamedByDigest(t *testing.T) {
	w := newWorld(t)
	absent := describeBytes("application/vnd.oci.image.manifest.v1+json", []byte("absent"))
	var signature digest.Digest
	source := w.backup("layout/", "registry.example", func(s *testregistry.Seeder) {
		signature = s.RetiredArtifact("team/app", "sig", "application/vnd.example.signature", &absent, []byte("signature")).Digest
		s.Image("team/app", "v1")
		s.Image("team/other", "v1")
	})
	w.rename(w.path("layout"), "registry.example/team/app:sig", "registry.example/team/app@"+source.Resolve("team/app", "sig").String())
	s := w.serve("layout")
	path := "/referrers/" + absent.Digest.String()
	if a := s.get("/v2/team/app" + path); !strings.Contains(a.body, signature.String()) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := s.get("/v2/team/other" + path); a.status != 200 || strings.Contains(a.body, signature.String()) {
		t.Errorf("in a repository that it is not in: %d %s", a.status, a.body)
	}
}

func describeBytes(mediaType string, data []byte) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
}

// TestDamagedReferrerIsLogged: it is not listed, and the log says so.
func TestDamagedReferrerIsLogged(t *testing.T) {
	w := newWorld(t)
	var subject, sbom ocispec.Descriptor
	w.backup("layout/", "registry.example", func(s *testregistry.Seeder) {
		subject = s.Image("team/app", "v1")
		sbom = s.Referrer("team/app", subject, "application/vnd.example.sbom", []byte("sbom"))
	})
	if err := os.Remove(blobFile(w, "layout", sbom.Digest)); err != nil {
		t.Fatal(err)
	}
	s := w.serve("layout")
	log := make(chan Access, 1)
	s.Log = func(a Access) { log <- a }
	s.get("/v2/team/app/referrers/"+subject.Digest.String()).is(t, "referrers", 200, "")
	if a := <-log; a.Error != "the referrer "+sbom.Digest.String()+" is absent or damaged: not listed" {
		t.Errorf("%+v", a)
	}
}
