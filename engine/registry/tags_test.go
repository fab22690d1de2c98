package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

func listTags(t *testing.T, r *Repository) ([]string, error) {
	var all []string
	err := r.Tags(t.Context(), func(tags []string) error {
		equal(t, "places held in yield", held(t, r.host.client), 0)
		all = append(all, tags...)
		return nil
	})
	return all, err
}

func giveTags(w http.ResponseWriter, next string, tags ...string) {
	if next != "" {
		w.Header().Set("Link", "<"+next+`>; rel="next"`)
	}
	json.NewEncoder(w).Encode(map[string]any{"name": "test/repo", "tags": tags})
}

func TestTagsInManyPages(t *testing.T) {
	var host string
	for name, base := range map[string]func() string{
		"path":     func() string { return "/v2/test/repo/tags/list" },
		"relative": func() string { return "list" },
		"absolute": func() string { return "http://" + host + "/v2/test/repo/tags/list" },
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
				last, _ := strconv.Atoi(req.URL.Query().Get("last"))
				next := ""
				if last < 90 {
					next = fmt.Sprintf("%s?n=10&last=%d", base(), last+10)
				}
				var tags []string
				for i := last; i < last+10; i++ {
					tags = append(tags, fmt.Sprintf("v%d", i))
				}
				giveTags(w, next, tags...)
			})
			host = r.ref.Registry
			tags, err := listTags(t, r)
			noError(t, err)
			equal(t, "tags", len(tags), 100)
			equal(t, "last tag", tags[99], "v99")
			equal(t, "requests", r.host.client.Stats()["GET tags"], 10)
		})
	}
}

func TestManyTagsInOnePage(t *testing.T) {
	tags := make([]string, 120_000)
	for i := range tags {
		tags[i] = fmt.Sprintf("release-2026-with-a-long-name-%d", i)
	}
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) { giveTags(w, "", tags...) })
	got, err := listTags(t, r)
	noError(t, err)
	equal(t, "tags are the same", slices.Equal(got, tags), true)
}

func TestTagsThatDoNotEnd(t *testing.T) {
	for name, test := range map[string]struct {
		serve    http.HandlerFunc
		requests int
	}{
		"a page that leads to itself": {func(w http.ResponseWriter, req *http.Request) {
			giveTags(w, "/v2/test/repo/tags/list?n=1000", "v1")
		}, 1},
		"new pages, old tags": {func(w http.ResponseWriter, req *http.Request) {
			last, _ := strconv.Atoi(req.URL.Query().Get("last"))
			giveTags(w, fmt.Sprintf("/v2/test/repo/tags/list?last=%d", last+1), "v1", "v2")
		}, maxEmptyPages + 2},
		"empty pages": {func(w http.ResponseWriter, req *http.Request) {
			last, _ := strconv.Atoi(req.URL.Query().Get("last"))
			giveTags(w, fmt.Sprintf("/v2/test/repo/tags/list?last=%d", last+1))
		}, maxEmptyPages + 1},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := repository(t, test.serve)
			if _, err := listTags(t, r); !errors.Is(err, ErrEndlessTags) {
				t.Errorf("got %v", err)
			}
			equal(t, "requests", r.host.client.Stats()["GET tags"], test.requests)
		})
	}
}

func TestRepeatedTagsComeOnce(t *testing.T) {
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
		switch req.URL.Query().Get("last") {
		case "":
			giveTags(w, "/v2/test/repo/tags/list?last=v2", "v1", "v2", "v1")
		case "v2":
			giveTags(w, "/v2/test/repo/tags/list?last=none", "v2", "v3")
		default:
			giveTags(w, "") // "tags": null
		}
	})
	tags, err := listTags(t, r)
	noError(t, err)
	equal(t, "tags", fmt.Sprint(tags), "[v1 v2 v3]")
}

func TestNextPageStaysWithTheRegistry(t *testing.T) {
	other := serve(t, func(w http.ResponseWriter, req *http.Request) { t.Error("another host was asked") })
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) { giveTags(w, "http://"+other+"/v2/x/tags/list", "v1") })
	if _, err := listTags(t, r); err == nil {
		t.Error("no error")
	}
}

func TestTagsStopWhenTheCallerDoes(t *testing.T) {
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) { giveTags(w, "/v2/next", "v1") })
	stop := errors.New("enough")
	err := r.Tags(t.Context(), func([]string) error { return stop })
	equal(t, "error", err, stop)
	equal(t, "requests", r.host.client.Stats()["GET tags"], 1)
}

func TestNoTagsAtAll(t *testing.T) {
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
		giveError(w, http.StatusNotFound, "NAME_UNKNOWN", "repository name not known to registry")
	})
	_, err := listTags(t, r)
	equal(t, "status", transport.Status(err), 404)
	equal(t, "has the code", transport.HasCode(err, "NAME_UNKNOWN"), true)
}

// TestPageSizeThatIsRefusedIsLeftOut asks again without a size, once for each kind of
// list.
func TestPageSizeThatIsRefusedIsLeftOut(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusUnprocessableEntity} {
		r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
			if n, _ := strconv.Atoi(req.URL.Query().Get("n")); n > 2 {
				giveError(w, status, "PAGINATION_NUMBER_INVALID", "invalid number of results requested")
				return
			}
			key := "tags"
			if strings.HasSuffix(req.URL.Path, "/_catalog") {
				key = "repositories"
			}
			page := []string{"v1", "v2"}
			if req.URL.Query().Has("last") {
				page = []string{"v3"}
			} else {
				w.Header().Set("Link", "<"+req.URL.Path+`?n=2&last=v2>; rel="next"`)
			}
			json.NewEncoder(w).Encode(map[string]any{key: page})
		})
		for range 2 {
			tags, err := listTags(t, r)
			noError(t, err)
			equal(t, "tags", fmt.Sprint(tags), "[v1 v2 v3]")
		}
		equal(t, "requests", r.host.client.Stats()["GET tags"], 1+2+2)
		first, more, err := r.FirstTags(t.Context())
		noError(t, err)
		equal(t, "first", fmt.Sprint(first, more), "[v1 v2] true")
		n := 0
		noError(t, r.host.client.Catalog(t.Context(), r.ref.Registry, func(page []string) error {
			n += len(page)
			return nil
		}))
		equal(t, "repositories", n, 3)
		equal(t, "requests for the catalog", r.host.client.Stats()["GET other"], 1+2)
	}
}

func TestRefusalThatIsNotAboutThePageSize(t *testing.T) {
	for status, requests := range map[int]int{http.StatusBadRequest: 2, http.StatusForbidden: 1, http.StatusNotFound: 1} {
		r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) { giveError(w, status, "DENIED", "no") })
		_, err := listTags(t, r)
		equal(t, "status", transport.Status(err), status)
		equal(t, "requests", r.host.client.Stats()["GET tags"], requests)
	}
}

// TestUnknownRepositoryIsAskedForOnce: an unclear response means false, without a retry.
func TestUnknownRepositoryIsAskedForOnce(t *testing.T) {
	for name, test := range map[string]struct {
		answer  http.HandlerFunc
		unknown bool
	}{
		"unknown name":  {func(w http.ResponseWriter, _ *http.Request) { giveError(w, 404, "NAME_UNKNOWN", "") }, true},
		"not found":     {http.NotFound, false},
		"not allowed":   {func(w http.ResponseWriter, _ *http.Request) { giveError(w, 403, "DENIED", "") }, false},
		"out of order":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, false},
		"an empty list": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"tags":[]}`) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			r, c := repository(t, test.answer)
			equal(t, "unknown", r.IsUnknown(t.Context()), test.unknown)
			equal(t, "requests", r.host.client.Stats()["GET tags"], 1)
			equal(t, "pauses", len(c.Sleeps()), 0)
		})
	}
}
