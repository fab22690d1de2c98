package serve

import (
	"net/http"
	"net/url"
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

// listed adds the link to the next page, and returns the names of this one for JSON, in which
// a list without names is [].
func (s *session) listed(p page, names []string, more bool) []string {
	if len(names) == 0 {
		return []string{}
	}
	if more {
		s.next(p.n, names[len(names)-1])
	}
	return names
}

// tags sends the tags of a repository.
func (s *session) tags() *fault {
	p, f := s.page()
	if f != nil {
		return f
	}
	names, more := s.repository.Tags(p.last, p.n)
	names = s.listed(p, names, more)
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
	names, more := s.snapshot.Repositories(s.registry, p.last, p.n)
	names = s.listed(p, names, more)
	return s.json("application/json", struct {
		Repositories []string `json:"repositories"`
	}{names})
}
