package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"testing"
)

func listTags(t *testing.T, r *Repository) ([]string, error) {
	var all []string
	err := r.Tags(t.Context(), func(tags []string) error {
		equal(t, "places held in yield", len(r.host.client.places), 0)
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
		}, 2},
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
	equal(t, "status", Status(err), 404)
	equal(t, "has the code", HasCode(err, "NAME_UNKNOWN"), true)
}
