package serve

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// maxPage bounds the names of one page, whatever a client asks for.
const maxPage = 10_000

// page is the part of a list that a request asks for.
type page struct {
	n    int // at most
	last string
}

// page parses n and last.
func (s *session) page() (p page, f *fault) {
	p = page{n: maxPage, last: s.query.Get("last")}
	if text := s.query.Get("n"); text != "" {
		n, invalid := position(text)
		if invalid {
			return p, refusal(http.StatusBadRequest, "UNSUPPORTED", "invalid n %.100q", text)
		}
		p.n = int(min(n, maxPage))
	}
	return p, nil
}

// next adds the link to the page behind last (RFC 8288).
func (s *session) next(n int, last string) {
	query := url.Values{"last": {last}}
	if n > 0 {
		query.Set("n", strconv.Itoa(n))
	}
	for _, key := range []string{"ns", "artifactType"} {
		if value := s.query.Get(key); value != "" {
			query.Set(key, value)
		}
	}
	u := url.URL{Path: s.request.URL.Path, RawQuery: query.Encode()}
	s.Header().Set("Link", "<"+u.String()+`>; rel="next"`)
}

// tags sends the tags of a repository.
func (s *session) tags() *fault {
	p, f := s.page()
	if f != nil {
		return f
	}
	t, all := s.content.table, s.views[0].tags
	begin := 0
	if p.last != "" {
		var found bool
		if begin, found = t.search(all, p.last); found {
			begin++
		}
	}
	names := []string{}
	for _, x := range all[begin:] {
		if len(names) == p.n {
			break
		}
		names = append(names, string(t.tag(x)))
	}
	if n := len(names); n > 0 && begin+n < len(all) {
		s.next(p.n, names[n-1])
	}
	return s.json("application/json", struct {
		Name string   `json:"name"`
		Tags []string `json:"tags"`
	}{s.path, names})
}

// catalog sends the names of all repositories; with a registry, its paths.
func (s *session) catalog() *fault {
	p, f := s.page()
	if f != nil {
		return f
	}
	t := s.content.table
	count, at := len(t.names), func(i int) string { return t.names[i].path }
	if s.registry != "" {
		begin, end := t.sourcesIn(s.registry)
		count, at = end-begin, func(i int) string { return t.sources[begin+i].path }
	}
	begin := 0
	for p.last != "" && begin < count && at(begin) <= p.last {
		begin++
	}
	names := []string{}
	for i := begin; i < count && len(names) < p.n; i++ {
		names = append(names, at(i))
	}
	if n := len(names); n > 0 && begin+n < count {
		s.next(p.n, names[n-1])
	}
	return s.json("application/json", struct {
		Repositories []string `json:"repositories"`
	}{names})
}

// sourcesIn returns the range of the sources in a registry.
func (t *table) sourcesIn(registry string) (begin, end int) {
	begin, _ = slices.BinarySearchFunc(t.sources, registry, func(x source, registry string) int { return cmp.Compare(x.registry, registry) })
	for end = begin; end < len(t.sources) && t.sources[end].registry == registry; end++ {
	}
	return begin, end
}
