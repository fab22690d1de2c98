package registry

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

func TestResolveIsOneHead(t *testing.T) {
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
		equal(t, "path", req.URL.Path, "/v2/test/repo/manifests/v1")
		for _, media := range []string{ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex, mediaTypeDockerManifest, mediaTypeDockerList, mediaTypeArtifact} {
			if !strings.Contains(req.Header.Get("Accept"), media) {
				t.Errorf("%s is not accepted", media)
			}
		}
		giveManifest(w, req, imageManifest)
	})
	desc, err := r.Resolve(t.Context(), "v1")
	noError(t, err)
	equal(t, "digest", desc.Digest, digest.FromBytes(imageManifest))
	equal(t, "size", desc.Size, int64(len(imageManifest)))
	equal(t, "media type", desc.MediaType, ocispec.MediaTypeImageManifest)
	stats := r.host.client.Stats()
	equal(t, "requests", fmt.Sprint(stats), "map[HEAD manifest:1]")
}

func TestResolveFallsBackToGet(t *testing.T) {
	for name, head := range map[string]func(w http.ResponseWriter){
		"no digest": func(w http.ResponseWriter) {
			w.Header().Del("Docker-Content-Digest")
			w.Header().Set("Content-Length", fmt.Sprint(len(imageManifest)))
		},
		"no length":     func(w http.ResponseWriter) { w.Header().Del("Content-Length") },
		"no media type": func(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/plain; charset=utf-8") },
		"not allowed":   func(w http.ResponseWriter) { w.WriteHeader(http.StatusMethodNotAllowed) },
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
				if req.Method == http.MethodHead {
					w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
					w.Header().Set("Docker-Content-Digest", digest.FromBytes(imageManifest).String())
					head(w)
					return
				}
				giveManifest(w, req, imageManifest)
			})
			desc, err := r.Resolve(t.Context(), "v1")
			noError(t, err)
			equal(t, "digest", desc.Digest, digest.FromBytes(imageManifest))
			equal(t, "size", desc.Size, int64(len(imageManifest)))
			equal(t, "media type", desc.MediaType, ocispec.MediaTypeImageManifest)
			equal(t, "GETs", r.host.client.Stats()["GET manifest"], 1)
		})
	}
}

func TestManifestDigests(t *testing.T) {
	right, wrong := digest.FromBytes(imageManifest), digest.FromString("something else")
	long := digest.SHA512.FromBytes(imageManifest)
	for name, test := range map[string]struct {
		reference string
		header    string
		want      digest.Digest // "": a mismatch
	}{
		"tag":                     {"v1", right.String(), right},
		"tag, no header":          {"v1", "", right},
		"tag, wrong header":       {"v1", wrong.String(), ""},
		"digest":                  {right.String(), right.String(), right},
		"digest, no header":       {right.String(), "", right},
		"digest, wrong header":    {right.String(), wrong.String(), ""},
		"wrong digest":            {wrong.String(), "", ""},
		"wrong digest and header": {wrong.String(), wrong.String(), ""},
		"sha512":                  {long.String(), right.String(), long},
		"tag, sha512 in header":   {"v1", long.String(), long},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
				w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
				w.Header().Set("Docker-Content-Digest", test.header)
				w.Write(imageManifest)
			})
			desc, data, err := r.FetchManifest(t.Context(), test.reference)
			if test.want == "" {
				if !errors.Is(err, content.ErrMismatchedDigest) || data != nil {
					t.Fatalf("got %v", err)
				}
				return
			}
			noError(t, err)
			equal(t, "digest", desc.Digest, test.want)
		})
	}
}

// TestDamagedManifestComesAgain: once is an accident, twice is an error.
func TestDamagedManifestComesAgain(t *testing.T) {
	flipped := append([]byte{'x'}, imageManifest[1:]...)
	for bad, want := range map[int]int{0: 1, 1: 2, 9: 2} {
		n := 0
		r, c := repository(t, func(w http.ResponseWriter, req *http.Request) {
			if n++; n > bad {
				giveManifest(w, req, imageManifest)
				return
			}
			w.Header().Set("Docker-Content-Digest", digest.FromBytes(imageManifest).String())
			w.Write(flipped)
		})
		_, data, err := r.FetchManifest(t.Context(), "v1")
		equal(t, "requests", n, want)
		equal(t, "pauses", len(c.Sleeps()), 0)
		if bad < 2 {
			noError(t, err)
			equal(t, "manifest", string(data), string(imageManifest))
		} else if !errors.Is(err, content.ErrMismatchedDigest) {
			t.Errorf("got %v", err)
		}
	}
}

func TestResolveRefusesAnotherDigest(t *testing.T) {
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) { giveManifest(w, req, imageManifest) })
	_, err := r.Resolve(t.Context(), digest.FromString("something else").String())
	if !errors.Is(err, content.ErrMismatchedDigest) {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsAManifest(t *testing.T) {
	for name, test := range map[string]struct {
		header, body string
		meant        bool
		want         error
	}{
		"header":          {ocispec.MediaTypeImageIndex, `{}`, false, nil},
		"itself":          {"text/plain", `{"mediaType":"` + mediaTypeDockerList + `"}`, false, nil},
		"plain index":     {"application/json", `{"schemaVersion":2,"manifests":[]}`, false, nil},
		"plain image":     {"text/plain", `{"schemaVersion":2,"config":{},"layers":[]}`, false, nil},
		"schema 1":        {mediaTypeDockerSchema1 + "+prettyjws", `{"schemaVersion":1}`, false, ErrSchema1},
		"hidden schema 1": {"application/json", `{"schemaVersion":1,"name":"x"}`, false, ErrSchema1},
		"something else":  {"application/json", `{}`, false, ErrNotManifest},
		"a page":          {"text/html", `<html>`, false, ErrNotManifest},
		"a page by name":  {ocispec.MediaTypeImageIndex, `<html>`, false, ErrNotManifest},
		"what was meant":  {"application/json", `{}`, true, nil},
		"and no JSON":     {"application/octet-stream", `hello`, true, nil},
	} {
		if err := checkManifest(test.header, []byte(test.body), test.meant); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestManifestTooLarge(t *testing.T) {
	c := newClock()
	o := c.options(t)
	o.MaxManifest = 100
	for name, chunked := range map[string]bool{"said": false, "not said": true} {
		t.Run(name, func(t *testing.T) {
			r := open(t, New(o), serve(t, func(w http.ResponseWriter, req *http.Request) {
				if chunked {
					http.NewResponseController(w).Flush()
				}
				w.Write([]byte(strings.Repeat(" ", 101)))
			}), "test/repo")
			_, _, err := r.FetchManifest(t.Context(), "v1")
			if !errors.Is(err, errdef.ErrSizeExceedsLimit) {
				t.Errorf("got %v", err)
			}
			equal(t, "requests", r.host.client.Stats()["GET manifest"], 1)
		})
	}
}

func TestStrangeReferencesAreNotSent(t *testing.T) {
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) { t.Errorf("sent %s", req.URL) })
	for _, reference := range []string{"", "../other", "a b", "sha256:12"} {
		if _, err := r.Resolve(t.Context(), reference); !errors.Is(err, errdef.ErrInvalidReference) {
			t.Errorf("%q: %v", reference, err)
		}
	}
}

func TestPushManifest(t *testing.T) {
	stored := digest.FromBytes(imageManifest)
	answer := stored
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
		equal(t, "request", req.Method+" "+req.URL.Path, "PUT /v2/test/repo/manifests/v1")
		equal(t, "media type", req.Header.Get("Content-Type"), ocispec.MediaTypeImageManifest)
		data, _ := io.ReadAll(req.Body)
		equal(t, "body", string(data), string(imageManifest))
		w.Header().Set("Docker-Content-Digest", answer.String())
		w.WriteHeader(http.StatusCreated)
	})
	desc := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: stored, Size: int64(len(imageManifest))}
	noError(t, r.PushManifest(t.Context(), desc, imageManifest, "v1"))
	answer = digest.FromString("another")
	if err := r.PushManifest(t.Context(), desc, imageManifest, "v1"); !errors.Is(err, content.ErrMismatchedDigest) || !strings.Contains(err.Error(), "mismatched digest: the registry stored sha256:") {
		t.Errorf("got %v", err)
	}
}

// TestPushManifestAgain shows that a body which can be sent again is.
func TestPushManifestAgain(t *testing.T) {
	n := 0
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
		data, _ := io.ReadAll(req.Body)
		equal(t, "body", string(data), string(imageManifest))
		if n++; n < 3 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		w.WriteHeader(http.StatusCreated)
	})
	desc := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(imageManifest), Size: int64(len(imageManifest))}
	noError(t, r.PushManifest(t.Context(), desc, imageManifest, "v1"))
	equal(t, "requests", n, 3)
}

func TestHasManifest(t *testing.T) {
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
		if strings.HasSuffix(req.URL.Path, digest.FromBytes(imageManifest).String()) {
			giveManifest(w, req, imageManifest)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
	has, err := r.HasManifest(t.Context(), ocispec.Descriptor{Digest: digest.FromBytes(imageManifest)})
	noError(t, err)
	equal(t, "has", has, true)
	has, err = r.HasManifest(t.Context(), ocispec.Descriptor{Digest: digest.FromString("x")})
	noError(t, err)
	equal(t, "has", has, false)
}

func TestAnswersThatStand(t *testing.T) {
	for _, code := range []int{400, 401, 403, 404, 405} {
		var n atomic.Int32
		r, c := repository(t, func(w http.ResponseWriter, req *http.Request) {
			n.Add(1)
			w.WriteHeader(code)
		})
		_, _, err := r.FetchManifest(t.Context(), "v1")
		equal(t, "status", transport.Status(err), code)
		equal(t, "requests", n.Load(), 1)
		equal(t, "pauses", len(c.Sleeps()), 0)
		equal(t, "not found", errors.Is(err, errdef.ErrNotFound), code == 404)
	}
}

func TestFullNames(t *testing.T) {
	r := open(t, New(newClock().options(t)), "docker.io", "library/alpine")
	equal(t, "name", r.fullName("3"), "docker.io/library/alpine:3")
	equal(t, "name", r.fullName(digest.FromString("").String()), "docker.io/library/alpine@"+digest.FromString("").String())
}
