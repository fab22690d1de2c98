package registry

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// linksToNext are the ways in which a page can name the next one, N, and another, P.
var linksToNext = map[string][]string{
	"two in one":                  {`<P>; rel="prev", <N>; rel="next"`},
	"two in one, next first":      {`<N>; rel="next", <P>; rel="prev"`},
	"two in one, no space":        {`<P>;rel=prev,<N>;rel=next`},
	"two headers":                 {`<P>; rel="prev"`, `<N>; rel="next"`},
	"unquoted":                    {`<N>; rel=next`},
	"two relations":               {`<N>; rel="next last"`},
	"two relations, next last":    {"<N>; rel=\"last\tnext\""},
	"parameters before":           {`<N>; title="a,b;c"; rel="next"`},
	"parameters behind":           {`<N>; rel="next"; title="a \"b\", <P>; rel=prev"`},
	"rel in a title":              {`<N>; title="rel=prev"; rel="next"`},
	"next in the title of prev":   {`<P>; title="rel=next"; rel="prev", <N>; rel="next"`},
	"next is not nextish":         {`<P>; rel="next-archive http://next", <N>; rel="next"`},
	"the first rel counts":        {`<P>; rel="prev"; rel="next", <N>; rel="next"`},
	"spaces":                      {`  <N> ; rel = "next" `},
	"capitals":                    {`<N>; REL="NEXT"`},
	"no rel":                      {`<N>`},
	"no rel, beside one":          {`<P>, <N>; rel="next"`},
	"no value":                    {`<N>; crossorigin; rel="next"`},
	"an extended parameter":       {`<N>; title*=UTF-8''a%2Cb; rel="next"`},
	"comma in the URL":            {`<N&x=a,b>; rel="next"`},
	"empty elements":              {`, ,<N>; rel="next",,`},
	"empty parameters":            {`<N>;; rel="next";`},
	"an anchor that is elsewhere": {`<P>; rel="next"; anchor="/elsewhere", <N>; rel="next"`},
	"an anchor that is the page":  {`<N>; rel="next"; anchor="#top"`},
}

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
	for name, headers := range linksToNext {
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

// TestMalformedLinkIsAnError: a page that it may lead to would be lost.
func TestMalformedLinkIsAnError(t *testing.T) {
	for _, header := range []string{
		`next`, `/v2/x; rel="next"`, `<unclosed; rel="next"`, `<x>; rel="next`, `<x> rel="next"`, `<x>; rel="next" <y>`, `<x>; rel="next\`,
		`<http://[::1>; rel="next"`, `<ftp://r.example/>; rel="next"`,
	} {
		resp := &http.Response{Header: http.Header{"Link": {header}}, Request: &http.Request{URL: &url.URL{Scheme: "https", Host: "r.example", Path: "/v2/x/tags/list"}}}
		if next, err := nextPage(resp); err == nil {
			t.Errorf("%s: got %v", header, next)
		}
	}
}

// FuzzLinks: what parses is understood the same when it is written again in the
// plainest form.
func FuzzLinks(f *testing.F) {
	for _, headers := range linksToNext {
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
