package registry

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/engine/registry/internal/registrytest"
)

// TestNextPageIsFoundInAnyLinkHeader has the three lists of registries in pages, with
// each way of naming the next one.
func TestNextPageIsFoundInAnyLinkHeader(t *testing.T) {
	const pages = 3
	var form []string
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
		page, _ := strconv.Atoi(req.URL.Query().Get("page"))
		if page < pages-1 {
			uris := strings.NewReplacer("<P", "<?page=0", "<N", fmt.Sprintf("<?page=%d", page+1))
			for _, header := range form {
				w.Header().Add("Link", uris.Replace(header))
			}
		}
		switch name := fmt.Sprint("v", page); {
		case strings.HasSuffix(req.URL.Path, "/tags/list"):
			giveTags(w, "", name)
		case strings.HasSuffix(req.URL.Path, "/_catalog"):
			json.NewEncoder(w).Encode(map[string]any{"repositories": []string{name}})
		default:
			giveIndex(w, indexOf(referrer(page)))
		}
	})
	for name, headers := range registrytest.LinksToNext {
		form = headers
		tags, err := listTags(t, r)
		noError(t, err)
		equal(t, name+": tags", fmt.Sprint(tags), "[v0 v1 v2]")
		var repositories []string
		noError(t, r.host.client.Catalog(t.Context(), r.ref.Registry, func(page []string) error {
			repositories = append(repositories, page...)
			return nil
		}))
		equal(t, name+": repositories", fmt.Sprint(repositories), "[v0 v1 v2]")
		no := false
		found, err := r.Referrers(t.Context(), subject, &no)
		noError(t, err)
		equal(t, name+": referrers", len(found), pages)
	}
}

func TestLinksToOtherPagesEndAList(t *testing.T) {
	for _, header := range []string{"", `<P>; rel="prev"`, `<P>; rel=first, <Q>; rel="up prev"`, ",", `<P>; rel=""`} {
		r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Link", header)
			giveTags(w, "", "v1")
		})
		tags, err := listTags(t, r)
		noError(t, err)
		equal(t, header, fmt.Sprint(tags), "[v1]")
	}
}
