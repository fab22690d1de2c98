package testregistry

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func (r *Registry) serveCatalog(w http.ResponseWriter, req *http.Request) {
	names := r.page(w, req, r.store.names())
	serveJSON(w, http.StatusOK, "application/json", map[string][]string{"repositories": names})
}

func (r *Registry) serveTags(w http.ResponseWriter, req *http.Request, repo string) {
	tags := r.store.tags(repo)
	if tags == nil {
		refuse(w, http.StatusNotFound, "NAME_UNKNOWN", "repository name not known to registry")
		return
	}
	serveJSON(w, http.StatusOK, "application/json", map[string]any{"name": repo, "tags": r.page(w, req, tags)})
}

// page returns a page of a sorted list, by the query's n and last and by Options.PageSize, and
// adds the Link to the next page.
func (r *Registry) page(w http.ResponseWriter, req *http.Request, all []string) []string {
	query := req.URL.Query()
	if last := query.Get("last"); last != "" {
		from, found := slices.BinarySearch(all, last)
		if found {
			from++
		}
		all = all[from:]
	}
	size := r.options.PageSize
	if n, err := strconv.Atoi(query.Get("n")); err == nil && n > 0 && (size == 0 || n < size) {
		size = n
	}
	if size == 0 || len(all) <= size {
		return all
	}
	all = all[:size]
	next := url.Values{"n": {strconv.Itoa(size)}, "last": {all[size-1]}}
	link(w, req, next)
	return all
}

func link(w http.ResponseWriter, req *http.Request, query url.Values) {
	w.Header().Set("Link", "<"+req.URL.Path+"?"+query.Encode()+`>; rel="next"`)
}

func (r *Registry) serveReferrers(w http.ResponseWriter, req *http.Request, c call) {
	if r.options.NoReferrersAPI {
		refuse(w, http.StatusNotFound, "UNSUPPORTED", "no such endpoint")
		return
	}
	subject, err := digest.Parse(c.reference)
	if err != nil {
		refuse(w, http.StatusBadRequest, "DIGEST_INVALID", err.Error())
		return
	}
	list := r.store.referrers(c.repo, subject)
	query := req.URL.Query()
	if artifactType := query.Get("artifactType"); artifactType != "" {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
		list = slices.DeleteFunc(list, func(d ocispec.Descriptor) bool { return d.ArtifactType != artifactType })
	}
	from, _ := strconv.Atoi(query.Get("from"))
	list = list[min(from, len(list)):]
	if size := r.options.PageSize; size > 0 && len(list) > size {
		list = list[:size]
		query.Set("from", strconv.Itoa(from+size))
		link(w, req, query)
	}
	serveJSON(w, http.StatusOK, ocispec.MediaTypeImageIndex, ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageIndex,
		Manifests: list,
	})
}
