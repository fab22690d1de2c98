package transport

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// errLink is the error for an invalid Link header (RFC 8288). It does not quote the
// header, which may be signed.
var errLink = errors.New("malformed Link header")

// NextPage returns the URL of the next page by the Link headers (RFC 8288), or nil at
// the end. The URL has to be on the registry itself: the request for it has the token.
func NextPage(resp *http.Response) (*url.URL, error) {
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
	next, err := ResolveLocation(resp.Request.URL, target)
	if err != nil {
		return nil, err
	}
	if !SameOrigin(next, resp.Request.URL) {
		return nil, fmt.Errorf("the next page is on another host: %s", next.Host)
	}
	return next, nil
}

// nextLink returns the target of the link from a page to the next. Some registries omit
// the relation: a link without one counts if no other is the link to the next page.
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

// isFrom reports whether the context of a link is the page that it came with, and not
// another anchor.
func (l link) isFrom(page *url.URL) bool {
	anchor, err := page.Parse(l.parameters["anchor"])
	if err != nil {
		return false
	}
	anchor.Fragment = ""
	return anchor.String() == page.String()
}

// parseLinks parses the value of a Link header.
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
