package registry

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

// mirroredClient returns a client for a registry with mirrors, and its clock.
func mirroredClient(t *testing.T, own string, only bool, mirrors ...Mirror) (*Client, *clock) {
	c := newClock()
	o := c.options(t)
	o.Settings = func(host string) (Settings, error) {
		if host != own {
			return Settings{}, nil
		}
		return Settings{Mirrors: mirrors, MirrorsOnly: only}, nil
	}
	return New(o), c
}

// TestMirrorIsAskedAgain: a mirror that failed three times gets no requests for five minutes.
func TestMirrorIsAskedAgain(t *testing.T) {
	const maxFaults, triesOfEach, passTime = 3, 2, 5 * time.Minute
	broken, asked := true, 0
	mirror := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		if broken {
			giveError(w, http.StatusBadGateway, "UNKNOWN", "down")
			return
		}
		giveManifest(w, r, imageManifest)
	})
	own := serve(t, func(w http.ResponseWriter, r *http.Request) { giveManifest(w, r, imageManifest) })
	client, clock := mirroredClient(t, own, false, Mirror{Registry: mirror, Prefix: "hub"})
	var notes []string
	e, err := client.Endpoints(own, "test/repo", func(s string) { notes = append(notes, s) })
	noError(t, err)
	resolve := func(tag string) int {
		_, at, err := e.Resolve(t.Context(), tag)
		noError(t, err)
		return at
	}
	for _, tag := range []string{"a", "b", "c", "d", "e"} {
		equal(t, "the endpoint of "+tag, resolve(tag), 1)
	}
	equal(t, "requests to the mirror", asked, maxFaults*triesOfEach)
	equal(t, "notes", len(notes), 1)
	broken = false
	clock.Sleep(t.Context(), passTime)
	equal(t, "the endpoint after the pause", resolve("f"), 0)
	equal(t, "its name", e.Mirror(0), mirror+"/hub")
}

// TestCatalogOfAMirror has only what is under its prefix, without that.
func TestCatalogOfAMirror(t *testing.T) {
	absent := serve(t, func(w http.ResponseWriter, r *http.Request) { giveError(w, http.StatusNotFound, "UNSUPPORTED", "none") })
	mirror := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(`{"repositories":["hub/library/app","hubs/app","hub/team/x","other"]}`))
	})
	own := "registry.example"
	client, _ := mirroredClient(t, own, true, Mirror{Registry: absent}, Mirror{Registry: mirror, Prefix: "hub"})
	var names []string
	noError(t, client.Catalog(t.Context(), own, func(page []string) error {
		names = append(names, page...)
		return nil
	}))
	if !slices.Equal(names, []string{"library/app", "team/x"}) {
		t.Errorf("%q", names)
	}
	client, _ = mirroredClient(t, own, true, Mirror{Registry: absent})
	err := client.Catalog(t.Context(), own, func([]string) error { return nil })
	if err == nil || !strings.HasPrefix(err.Error(), own+": list repositories: mirror "+absent+": 404") {
		t.Errorf("without a catalog: %v", err)
	}
}

// TestReferrersOfMirrorsAlone: those that can be listed count, and the user hears of the
// mirror that fails.
func TestReferrersOfMirrorsAlone(t *testing.T) {
	broken := serve(t, func(w http.ResponseWriter, r *http.Request) { giveError(w, http.StatusForbidden, "DENIED", "no") })
	mirror := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.Path, "/referrers/") {
			giveError(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "none")
			return
		}
		w.Header().Set("Content-Type", ocispec.MediaTypeImageIndex)
		w.Write([]byte(`{"schemaVersion":2,"manifests":[{"mediaType":"` + ocispec.MediaTypeImageManifest + `","digest":"` + describeBytes([]byte("s")).Digest.String() + `","size":1}]}`))
	})
	client, _ := mirroredClient(t, "registry.example", true, Mirror{Registry: broken}, Mirror{Registry: mirror})
	var notes []string
	e, err := client.Endpoints("registry.example", "app", func(s string) { notes = append(notes, s) })
	noError(t, err)
	for range 2 {
		found, err := e.AllReferrers(t.Context(), describeBytes(imageManifest))
		noError(t, err)
		equal(t, "referrers", len(found), 1)
	}
	told := slices.DeleteFunc(notes, func(s string) bool { return !strings.Contains(s, "referrers are those of the other mirrors alone") })
	equal(t, "notes about the list", len(told), 1)

	client, _ = mirroredClient(t, "registry.example", true, Mirror{Registry: broken}, Mirror{Registry: broken, Prefix: "two"})
	e, err = client.Endpoints("registry.example", "app", func(string) {})
	noError(t, err)
	if _, err := e.AllReferrers(t.Context(), describeBytes(imageManifest)); transport.Status(err) != http.StatusForbidden {
		t.Errorf("all fail: %v", err)
	}
}

// TestMirrorAfterTheRunEnds: no other endpoint is asked once the run is cancelled.
func TestMirrorAfterTheRunEnds(t *testing.T) {
	asked := 0
	own := serve(t, func(w http.ResponseWriter, r *http.Request) { asked++ })
	ctx, cancel := context.WithCancel(t.Context())
	mirror := serve(t, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		breakOff()
	})
	client, _ := mirroredClient(t, own, false, Mirror{Registry: mirror})
	e, err := client.Endpoints(own, "app", func(string) {})
	noError(t, err)
	if _, _, err := e.Resolve(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	equal(t, "requests to the registry itself", asked, 0)
}
