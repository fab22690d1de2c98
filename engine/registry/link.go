package registry

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// errLink says that a Link header is not what RFC 8288 allows. It does not quote
// the header, which may be signed.
var errLink = errors.New("malformed Link header")

// nextPage returns where the Link headers of a page lead (RFC 8288), nil at the
// end. It has to be the registry itself: the link is followed with our token.
func nextPage(resp *http.Response) (*url.URL, error) {
	var links []link
	for _, header := range resp.Header.Values("Link") {
		found, err := parseLinks(header)
		if err != nil {
			return nil, err
		}
		links = append(links, found...)
	}
	target, ok := nextLink(resp.Request.URL, links)
	if !ok {
		return nil, nil
	}
	next, err := resolveLocation(resp.Request.URL, target)
	if err != nil {
		return nil, err
	}
	if !sameOrigin(next, resp.Request.URL) {
		return nil, fmt.Errorf("the next page is on another host: %s", next.Host)
	}
	return next, nil
}

// nextLink returns the target of the link from a page to the next. Some registries
// abandon the relation out: a link without one is that link if no other is.
func nextLink(page *url.URL, links []link) (target string, ok bool) {
	bare := -1
	for i, l := range links {
		if !l.isFrom(page) {
			continue
		}
		relations, given := l.parameters["rel"]
		if slices.ContainsFunc(strings.Fields(relations), func(r string) bool { return strings.EqualFold(r, "next") }) {
			return l.target, true
		}
		if !given && bare < 0 {
			bare = i
		}
	}
	if bare < 0 {
		return "", false
	}
	return links[bare].target, true
}

// link is one link of a Link header.
type link struct {
	target     string
	parameters map[string]string // by their names in lower case; the first of a name counts
}

// isFrom reports whether a link leads away from the page it came with, and not from
// the anchor that it names.
func (l link) isFrom(page *url.URL) bool {
	anchor, err := page.Parse(l.parameters["anchor"])
	if err != nil {
		return false
	}
	anchor.Fragment = ""
	return anchor.String() == page.String()
}

// parseLinks takes the value of a Link header apart.
func parseLinks(header string) ([]link, error) {
	var links []link
	s := scanner{header}
	for {
		for s.space(); s.skip(','); s.space() { // a list may have empty elements
		}
		if s.rest == "" {
			return links, nil
		}
		target, ok := s.uri()
		if !ok {
			return nil, errLink
		}
		l := link{target: target, parameters: make(map[string]string)}
		for s.space(); s.skip(';'); s.space() {
			name, value, ok := s.parameter(",;")
			if !ok {
				return nil, errLink
			}
			if _, again := l.parameters[name]; name != "" && !again {
				l.parameters[name] = value
			}
		}
		if s.rest != "" && !s.skip(',') {
			return nil, errLink
		}
		links = append(links, l)
	}
}
