package registry

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// maxRedirects is the limit of net/http, which a CheckRedirect replaces.
const maxRedirects = 10

// checkRedirect removes the Authorization header from redirects to other hosts, and refuses
// those from https to http. oras-go does the first, too, for the requests that it
// authenticates; uploads are authenticated here.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return fmt.Errorf("stopped after %d redirects", maxRedirects)
	}
	first := via[0].URL
	if first.Scheme == "https" && req.URL.Scheme != "https" {
		return fmt.Errorf("%w: redirected to %s", ErrDowngrade, req.URL.Host)
	}
	// net/http builds each hop's headers from the first request, so a chain that comes
	// back to the registry would get them again.
	left := !sameOrigin(first, req.URL)
	for _, v := range via[1:] {
		left = left || !sameOrigin(first, v.URL)
	}
	if left {
		req.Header.Del("Authorization")
	}
	return nil
}

// ErrDowngrade is the error for a redirect from https to http.
var ErrDowngrade = errors.New("refusing to go from https to http")

// errLocation is the error for a redirect to an invalid URL.
var errLocation = errors.New("the registry sent an invalid redirect URL")

// resolveLocation resolves the URL in a Location or Link header. A registry behind a proxy
// that terminates TLS often sends http, or omits its port: on the same host the scheme and
// the port of the request count.
func resolveLocation(base *url.URL, location string) (*url.URL, error) {
	u, err := base.Parse(location)
	if err != nil {
		return nil, errLocation // the URL may be signed
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("the registry redirects to the unsupported scheme %q", u.Scheme)
	}
	samePort := u.Port() == base.Port() || u.Port() == ""
	if strings.EqualFold(u.Hostname(), base.Hostname()) && samePort && (u.Scheme == "http" || u.Scheme == base.Scheme) {
		u.Scheme, u.Host = base.Scheme, base.Host
	}
	if base.Scheme == "https" && u.Scheme == "http" {
		return nil, fmt.Errorf("%w: redirected to %s", ErrDowngrade, u.Host)
	}
	return u, nil
}

// sameOrigin reports whether two URLs have the same scheme, host and port.
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// publicParameters are the query parameters of the protocol itself. Any other may be a
// signature (presigned URLs) or the state of a session.
var publicParameters = map[string]bool{
	"n": true, "last": true, "digest": true, "mount": true, "from": true,
	"scope": true, "service": true, "artifactType": true,
}

// redacted returns u with every possible secret masked.
func redacted(u *url.URL) *url.URL {
	c := *u
	if c.User != nil {
		c.User = url.User("xxxxx")
	}
	if c.RawQuery == "" {
		return &c
	}
	query := c.Query()
	for key := range query {
		if !publicParameters[key] {
			query.Set(key, "xxxxx")
		}
	}
	c.RawQuery = query.Encode()
	return &c
}
