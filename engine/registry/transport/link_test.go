package transport

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/engine/registry/internal/registrytest"
)

// TestMalformedLinkIsAnError: a page that it may lead to would be lost.
func TestMalformedLinkIsAnError(t *testing.T) {
	for _, header := range []string{
		`next`, `/v2/x; rel="next"`, `<unclosed; rel="next"`, `<x>; rel="next`, `<x> rel="next"`, `<x>; rel="next" <y>`, `<x>; rel="next\`,
		`<http://[::1>; rel="next"`, `<ftp://r.example/>; rel="next"`,
	} {
		resp := &http.Response{Header: http.Header{"Link": {header}}, Request: &http.Request{URL: &url.URL{Scheme: "https", Host: "r.example", Path: "/v2/x/tags/list"}}}
		if next, err := NextPage(resp); err == nil {
			t.Errorf("%s: got %v", header, next)
		}
	}
}

// FuzzLinks: what parses is understood the same when it is written again in the
// plainest form.
func FuzzLinks(f *testing.F) {
	for _, headers := range registrytest.LinksToNext {
		for _, header := range headers {
			f.Add(header)
		}
	}
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	f.Fuzz(func(t *testing.T, header string) {
		links, err := parseLinks(header)
		if err != nil {
			return
		}
		var text []string
		for _, l := range links {
			s := "<" + l.target + ">"
			for name, value := range l.parameters {
				s += "; " + name + `="` + quote.Replace(value) + `"`
			}
			text = append(text, s)
		}
		again, err := parseLinks(strings.Join(text, ", "))
		if err != nil || fmt.Sprint(again) != fmt.Sprint(links) {
			t.Errorf("%q is %v, and %q is %v, %v", header, links, text, again, err)
		}
	})
}
