package registry

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

var subject = describeBytes(imageManifest)

func referrer(n int) ocispec.Descriptor {
	desc := describeBytes(fmt.Append(nil, "referrer", n))
	desc.MediaType = ocispec.MediaTypeImageManifest
	desc.ArtifactType = "application/vnd.example.signature"
	desc.Annotations = map[string]string{"n": fmt.Sprint(n)}
	return desc
}

func indexOf(manifests ...ocispec.Descriptor) []byte {
	index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: manifests}
	index.SchemaVersion = 2
	data, _ := json.Marshal(index)
	return data
}

func giveIndex(w http.ResponseWriter, data []byte) {
	w.Header().Set("Content-Type", ocispec.MediaTypeImageIndex)
	w.Write(data)
}

func TestReferrersByTheAPI(t *testing.T) {
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
		equal(t, "path", req.URL.Path, "/v2/test/repo/referrers/"+subject.Digest.String())
		if req.URL.RawQuery == "" {
			w.Header().Set("Link", "<?page=2>; rel=\"next\"")
			giveIndex(w, indexOf(referrer(1), referrer(2)))
			return
		}
		giveIndex(w, indexOf(referrer(2), referrer(3)))
	})
	found, err := r.Referrers(t.Context(), subject, nil)
	noError(t, err)
	equal(t, "referrers", len(found), 3)
	equal(t, "artifact type", found[2].ArtifactType, "application/vnd.example.signature")
	equal(t, "annotation", found[2].Annotations["n"], "3")
	api, err := r.ReferrersAPI(t.Context())
	noError(t, err)
	equal(t, "has the API", api, true)
	equal(t, "requests", fmt.Sprint(r.host.client.Stats()), "map[GET referrers:2]")
}

func TestReferrersByTheTag(t *testing.T) {
	tag := FallbackTag(subject.Digest)
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
		if strings.HasSuffix(req.URL.Path, "/manifests/"+tag) {
			giveIndex(w, indexOf(referrer(1)))
			return
		}
		http.NotFound(w, req)
	})
	yes, no := true, false
	for name, test := range map[string]struct {
		known *bool
		want  int
	}{"not known": {nil, 1}, "known to be there": {&yes, 1}, "known not to be": {&no, 0}} {
		t.Run(name, func(t *testing.T) {
			found, err := r.Referrers(t.Context(), subject, test.known)
			noError(t, err)
			equal(t, "referrers", len(found), test.want)
		})
	}
	other := open(t, r.host.client, r.ref.Registry, "other/repo")
	found, err := other.Referrers(t.Context(), describeBytes(nil), nil)
	noError(t, err)
	equal(t, "referrers of another", len(found), 0)
	api, err := other.ReferrersAPI(t.Context())
	noError(t, err)
	equal(t, "has the API", api, false)
	stats := r.host.client.Stats()
	equal(t, "times the API was asked", stats["GET referrers"], 1)
	equal(t, "times a tag was asked", stats["GET manifest"], 3)
}

func TestReferrersOfBothKinds(t *testing.T) {
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
		if strings.Contains(req.URL.Path, "/manifests/") {
			giveIndex(w, indexOf(referrer(1), referrer(2)))
			return
		}
		giveIndex(w, indexOf(referrer(2), referrer(3)))
	})
	yes := true
	found, err := r.Referrers(t.Context(), subject, &yes)
	noError(t, err)
	equal(t, "referrers", len(found), 3)
}

// TestReferrersThatWereThere: what is known to be there and is not found is a
// fault, not an empty list.
func TestReferrersThatWereThere(t *testing.T) {
	t.Run("the listed tag", func(t *testing.T) {
		r, _ := repository(t, http.NotFound)
		yes := true
		if found, err := r.Referrers(t.Context(), subject, &yes); Status(err) != 404 {
			t.Errorf("got %v, %v", found, err)
		}
	})
	t.Run("the API", func(t *testing.T) {
		gone := false
		r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
			if gone {
				http.NotFound(w, req)
				return
			}
			giveIndex(w, indexOf())
		})
		_, err := r.Referrers(t.Context(), subject, nil)
		noError(t, err)
		gone = true
		if found, err := r.Referrers(t.Context(), subject, nil); Status(err) != 404 {
			t.Errorf("got %v, %v", found, err)
		}
	})
}

// TestReferrersThatDoNotEnd has a page for every page.
func TestReferrersThatDoNotEnd(t *testing.T) {
	n := 0
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
		n++
		w.Header().Set("Link", fmt.Sprintf("<?page=%d>; rel=\"next\"", n))
		giveIndex(w, indexOf(referrer(n)))
	})
	if found, err := r.Referrers(t.Context(), subject, nil); err == nil {
		t.Errorf("got %d", len(found))
	}
	equal(t, "requests", n, maxReferrerPages)
}

func TestTooManyReferrers(t *testing.T) {
	n := 0
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
		var page []ocispec.Descriptor
		for range maxReferrers / 4 {
			n++
			page = append(page, referrer(n))
		}
		w.Header().Set("Link", fmt.Sprintf("<?page=%d>; rel=\"next\"", n))
		giveIndex(w, indexOf(page...))
	})
	if found, err := r.Referrers(t.Context(), subject, nil); err == nil {
		t.Errorf("got %d", len(found))
	}
	equal(t, "referrers that were read", n, maxReferrers/4*5)
}

func TestWhatIsNoReferrersAPI(t *testing.T) {
	for name, test := range map[string]struct {
		answer     http.HandlerFunc
		remembered bool
	}{
		"not found":       {http.NotFound, true},
		"not allowed":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusMethodNotAllowed) }, true},
		"a page":          {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, true},
		"unknown name":    {func(w http.ResponseWriter, _ *http.Request) { giveError(w, 404, "NAME_UNKNOWN", "") }, false},
		"unknown subject": {func(w http.ResponseWriter, _ *http.Request) { giveError(w, 404, "MANIFEST_UNKNOWN", "") }, false},
		"bad request":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := repository(t, test.answer)
			for range 2 {
				api, err := r.ReferrersAPI(t.Context())
				noError(t, err)
				equal(t, "has the API", api, false)
			}
			asked := 2
			if test.remembered {
				asked = 1
			}
			equal(t, "requests", r.host.client.Stats()["GET referrers"], asked)
		})
	}
	r, _ := repository(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	if _, err := r.ReferrersAPI(t.Context()); Status(err) != 403 {
		t.Errorf("got %v", err)
	}
}

func TestDistributionSpec(t *testing.T) {
	for spec, want := range map[string]bool{"v1.1-referrers-api": true, "v1.1-referrers-tag": false} {
		o := newClock().options(t)
		o.Settings = func(string) (Settings, error) { return Settings{DistributionSpec: spec}, nil }
		r := open(t, New(o), serve(t, func(w http.ResponseWriter, req *http.Request) { t.Error("asked") }), "test/repo")
		api, err := r.ReferrersAPI(t.Context())
		noError(t, err)
		equal(t, spec, api, want)
	}
	o := newClock().options(t)
	o.Settings = func(string) (Settings, error) { return Settings{DistributionSpec: "v2"}, nil }
	if _, err := New(o).Repository("r.example", "x"); err == nil {
		t.Error("v2 was taken")
	}
}

func TestFallbackTagOfLongDigests(t *testing.T) {
	d := digest.SHA512.FromString("x")
	equal(t, "tag", FallbackTag(d), "sha512-"+d.Encoded()[:64])
}

// fallbackRegistry keeps manifests by tag and has no referrers API.
type fallbackRegistry struct {
	mu   sync.Mutex
	kept map[string][]byte
	puts int
}

func (f *fallbackRegistry) serve(w http.ResponseWriter, req *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if req.Method == http.MethodPut {
		f.puts++
		f.kept[req.URL.Path], _ = io.ReadAll(req.Body)
		w.WriteHeader(http.StatusCreated)
		return
	}
	data, ok := f.kept[req.URL.Path]
	if !ok {
		http.NotFound(w, req)
		return
	}
	giveIndex(w, data)
}

func TestReferrersAreMergedIntoTheListUnderTheTag(t *testing.T) {
	f := &fallbackRegistry{kept: make(map[string][]byte)}
	r, _ := repository(t, f.serve)
	merge := func(add ...ocispec.Descriptor) {
		t.Helper()
		noError(t, r.ListReferrers(t.Context(), subject, add, nil))
	}
	merge(referrer(1), referrer(2))
	merge(referrer(2), referrer(3))
	equal(t, "PUTs", f.puts, 2)
	merge(referrer(1), referrer(3)) // nothing new
	equal(t, "PUTs", f.puts, 2)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() { merge(referrer(10 + i)) })
	}
	wg.Wait()
	found, err := r.Referrers(t.Context(), subject, nil)
	noError(t, err)
	equal(t, "referrers", len(found), 23)
	equal(t, "annotation", found[0].Annotations["n"], "1")
}
