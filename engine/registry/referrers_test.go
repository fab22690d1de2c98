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

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
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
		if found, err := r.Referrers(t.Context(), subject, &yes); transport.Status(err) != 404 {
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
		if found, err := r.Referrers(t.Context(), subject, nil); transport.Status(err) != 404 {
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
		noError(t, r.ListReferrers(t.Context(), subject.Digest, add, nil, nil))
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

// TestReferrersAreDescribedUnderTheTag, one after the other and within the limits of a list that
// is read. A registry with the API describes them itself.
func TestReferrersAreDescribedUnderTheTag(t *testing.T) {
	described := 0
	describe := func(size int) Describe {
		return func(desc ocispec.Descriptor) (ocispec.Descriptor, error) {
			described++
			desc.ArtifactType, desc.Annotations = "signature", map[string]string{"a": strings.Repeat("a", size)}
			return desc, nil
		}
	}
	f := &fallbackRegistry{kept: make(map[string][]byte)}
	r, _ := repository(t, f.serve)
	noError(t, r.ListReferrers(t.Context(), subject.Digest, []ocispec.Descriptor{referrer(1), referrer(2)}, nil, describe(5)))
	found, err := r.Referrers(t.Context(), subject, nil)
	noError(t, err)
	equal(t, "annotation", found[1].ArtifactType+found[1].Annotations["a"], "signatureaaaaa")

	var many []ocispec.Descriptor
	for i := range 100 {
		many = append(many, referrer(10+i))
	}
	described = 0
	if err := r.ListReferrers(t.Context(), subject.Digest, many, nil, describe(4<<20)); err == nil || !strings.Contains(err.Error(), "takes more than 32 MiB") {
		t.Error(err)
	}
	equal(t, "described", described, 8)
	equal(t, "PUTs", f.puts, 1)

	described = 0
	r, _ = repository(t, func(w http.ResponseWriter, _ *http.Request) {
		data, _ := json.Marshal(ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: many})
		giveIndex(w, data)
	})
	noError(t, r.ListReferrers(t.Context(), subject.Digest, many, nil, describe(5)))
	equal(t, "described with the API", described, 0)
}
