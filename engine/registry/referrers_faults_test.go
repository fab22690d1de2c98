package registry

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

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
	if _, err := r.ReferrersAPI(t.Context()); transport.Status(err) != 403 {
		t.Errorf("got %v", err)
	}
}

// withSpec is test/repo of a registry whose settings say how it keeps referrers.
func withSpec(t *testing.T, spec string, h http.HandlerFunc) *Repository {
	t.Helper()
	o := newClock().options(t)
	o.Settings = func(string) (Settings, error) { return Settings{DistributionSpec: spec}, nil }
	return open(t, New(o), serve(t, h), "test/repo")
}

func TestDistributionSpec(t *testing.T) {
	r := withSpec(t, "v1.1-referrers-tag", func(w http.ResponseWriter, req *http.Request) { t.Error("asked") })
	api, err := r.ReferrersAPI(t.Context())
	noError(t, err)
	equal(t, "has the API", api, false)
	o := newClock().options(t)
	o.Settings = func(string) (Settings, error) { return Settings{DistributionSpec: "v2"}, nil }
	if _, err := New(o).Repository("r.example", "x"); err == nil {
		t.Error("v2 was taken")
	}
}

// TestPromisedReferrersAPIThatIsNotThereIsAnError at both ends: a source's referrers
// are not lost, a target's do not stand there unlisted.
func TestPromisedReferrersAPIThatIsNotThereIsAnError(t *testing.T) {
	page := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }
	unknown := func(w http.ResponseWriter, _ *http.Request) { giveError(w, 404, "MANIFEST_UNKNOWN", "") }
	for name, test := range map[string]struct {
		answer         http.HandlerFunc
		source, target bool // it is an error there
	}{
		"there":           {func(w http.ResponseWriter, _ *http.Request) { giveIndex(w, indexOf()) }, false, false},
		"not found":       {http.NotFound, true, true},
		"not implemented": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(501) }, true, true},
		"a page":          {page, true, true},
		"unknown subject": {unknown, true, false}, // the target may not have the repository yet
	} {
		t.Run(name, func(t *testing.T) {
			wrong := func(end string, err error, wanted bool) {
				t.Helper()
				if equal(t, end+" fails", err != nil, wanted); wanted && !isType[*NoReferrersAPIError](err) {
					t.Errorf("%s: got %v", end, err)
				}
			}
			found, err := withSpec(t, specAPI, test.answer).Referrers(t.Context(), subject, nil)
			wrong("source", err, test.source)
			equal(t, "referrers", len(found), 0)
			_, err = withSpec(t, specAPI, test.answer).AllReferrers(t.Context(), subject)
			wrong("source, its tags not listed", err, test.source)
			r := withSpec(t, specAPI, test.answer)
			for range 2 {
				api, err := r.ReferrersAPI(t.Context())
				wrong("target", err, test.target)
				equal(t, "has the API", api, !test.target)
			}
		})
	}
}

func TestReferrersOfAnyContentTypeAreTaken(t *testing.T) {
	list := string(indexOf(referrer(1)))
	untyped := `{"manifests":[{"digest":"` + string(referrer(1).Digest) + `"}]}`
	for contentType, body := range map[string]string{
		"":                                list,
		"application/json":                list,
		"application/json; charset=utf-8": untyped,
		"text/plain; charset=utf-8":       list,
		"application/octet-stream":        untyped,
		"text/html":                       list,
		mediaTypeDockerList:               strings.Replace(list, ocispec.MediaTypeImageIndex, mediaTypeDockerList, 1),
		"Application/vnd.OCI.image.index.v1+json; charset=utf-8": list,
		ocispec.MediaTypeImageManifest:                           list,
	} {
		answer := func(w http.ResponseWriter, req *http.Request) {
			w.Header()["Content-Type"] = nil
			if contentType != "" {
				w.Header().Set("Content-Type", contentType)
			}
			io.WriteString(w, body)
		}
		t.Run("API, "+contentType, func(t *testing.T) {
			r, _ := repository(t, answer)
			no := false
			found, err := r.Referrers(t.Context(), subject, &no)
			noError(t, err)
			equal(t, "referrers", len(found), 1)
		})
		t.Run("tag, "+contentType, func(t *testing.T) {
			r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
				if strings.Contains(req.URL.Path, "/referrers/") {
					http.NotFound(w, req)
					return
				}
				answer(w, req)
			})
			found, err := r.Referrers(t.Context(), subject, nil)
			noError(t, err)
			equal(t, "referrers", len(found), 1)
		})
	}
}

// TestReferrersWithoutTheirKeyAreAnError: what means to be a list and is none would
// markUnreachable referrers.
func TestReferrersWithoutTheirKeyAreAnError(t *testing.T) {
	for _, contentType := range []string{ocispec.MediaTypeImageIndex, "application/json", "text/plain"} {
		for _, body := range []string{`{}`, `{"errors":[{"code":"UNAVAILABLE"}]}`, `{"manifests":{}}`, `{"manifests":[1]}`,
			`{"manifests":[`, `{"manifests":[]}{"manifests":[]}`, `{"config":{},"layers":[]}`} {
			r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
				w.Header().Set("Content-Type", contentType)
				io.WriteString(w, body)
			})
			no := false
			if found, err := r.Referrers(t.Context(), subject, &no); !isType[*DocumentError](err) {
				t.Errorf("%s %s: got %v, %v", contentType, body, found, err)
			}
		}
	}
	for body, want := range map[string]int{`{"manifests":null}`: 0, `{"manifests":[]}`: 0, string(indexOf(referrer(1))): 1} {
		r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) { giveIndex(w, []byte(body)) })
		found, err := r.Referrers(t.Context(), subject, nil)
		noError(t, err)
		equal(t, body, len(found), want)
	}
	for contentType, fails := range map[string]bool{ocispec.MediaTypeImageIndex: true, ocispec.MediaTypeImageManifest: false} {
		r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
			if strings.Contains(req.URL.Path, "/referrers/") {
				http.NotFound(w, req)
				return
			}
			w.Header().Set("Content-Type", contentType)
			io.WriteString(w, `{"schemaVersion":2,"config":{},"layers":[]}`)
		})
		_, err := r.Referrers(t.Context(), subject, nil)
		equal(t, "a tag with "+contentType, err != nil, fails)
	}
}

// TestLaterPageOfReferrersThatFails: that it is not there does not mean that there
// is no API, or the referrers of the first page would be lost.
func TestLaterPageOfReferrersThatFails(t *testing.T) {
	for name, fail := range map[string]http.HandlerFunc{
		"unknown": func(w http.ResponseWriter, req *http.Request) { giveError(w, 404, "MANIFEST_UNKNOWN", "") },
		"refused": func(w http.ResponseWriter, req *http.Request) { w.WriteHeader(http.StatusBadRequest) },
		"a page":  func(w http.ResponseWriter, req *http.Request) { fmt.Fprint(w, "<html>") },
	} {
		r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
			switch {
			case strings.Contains(req.URL.Path, "/manifests/"):
				http.NotFound(w, req)
			case req.URL.RawQuery == "":
				w.Header().Set("Link", `<?page=2>; rel="next"`)
				giveIndex(w, indexOf(referrer(1)))
			default:
				fail(w, req)
			}
		})
		if found, err := r.Referrers(t.Context(), subject, nil); err == nil {
			t.Errorf("%s: got %v", name, found)
		}
	}
}

// TestReferrersOfHostileSize has lists within the size of a manifest that would take
// a hundred times their size in memory.
func TestReferrersOfHostileSize(t *testing.T) {
	entry := `{"digest":"` + string(referrer(1).Digest) + `","annotations":{`
	for i := range 10_000 {
		entry += fmt.Sprintf(`"%d":"",`, i)
	}
	entry = strings.TrimSuffix(entry, ",") + "}},"
	for name, part := range map[string]string{
		"empty descriptors":   "{},",
		"annotations":         entry,
		"URLs":                `{"urls":["` + strings.Repeat(`","`, 100_000) + `"]},`,
		"white space":         strings.Repeat(" ", 2<<20) + "{},",
		"a value without end": `{"data":"` + strings.Repeat("A", 2<<20),
	} {
		for _, tag := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, tag %v", name, tag), func(t *testing.T) {
				body := `{"schemaVersion":2,"mediaType":"` + ocispec.MediaTypeImageIndex + `","manifests":[` + strings.Repeat(part, 5<<20/len(part)) + "{}]}"
				r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
					if tag && strings.Contains(req.URL.Path, "/referrers/") {
						http.NotFound(w, req)
						return
					}
					giveIndex(w, []byte(body))
				})
				if found, err := r.Referrers(t.Context(), subject, nil); err == nil {
					t.Errorf("got %d", len(found))
				}
			})
		}
	}
}
