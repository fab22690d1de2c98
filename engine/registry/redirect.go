package registry

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// maxRedirects is net/http's own, which a CheckRedirect replaces.
const maxRedirects = 10

// checkRedirect keeps what was meant for the registry with the registry, and
// what was asked over TLS on TLS. oras-go does the first again for requests
// that it signs; uploads are signed here.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return fmt.Errorf("stopped after %d redirects", maxRedirects)
	}
	first := via[0].URL
	if first.Scheme == "https" && req.URL.Scheme != "https" {
		return fmt.Errorf("%w: redirected to %s", ErrDowngrade, req.URL.Host)
	}
	// net/http builds each hop's headers from the first request, so that a
	// chain that comes back to the registry would be signed again.
	left := !sameOrigin(first, req.URL)
	for _, v := range via[1:] {
		left = left || !sameOrigin(first, v.URL)
	}
	if left {
		req.Header.Del("Authorization")
	}
	return nil
}

// errLocation says that a registry points to something that is no URL.
var errLocation = errors.New("the registry sent an invalid redirect URL")

// resolveLocation resolves what a registry gives as Location or Link. A registry
// behind a proxy that ends TLS often says http, or leaves out the port that it
// was asked at: the same host is then meant as it was asked.
func resolveLocation(base *url.URL, location string) (*url.URL, error) {
	u, err := base.Parse(location)
	if err != nil {
		return nil, errLocation // what it says may be signed
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("the registry points to the unsupported scheme %q", u.Scheme)
	}
	samePort := u.Port() == base.Port() || u.Port() == ""
	if strings.EqualFold(u.Hostname(), base.Hostname()) && samePort && (u.Scheme == "http" || u.Scheme == base.Scheme) {
		u.Scheme, u.Host = base.Scheme, base.Host
	}
	if base.Scheme == "https" && u.Scheme == "http" {
		return nil, fmt.Errorf("%w: sent on to %s", ErrDowngrade, u.Host)
	}
	return u, nil
}

// sameOrigin reports whether two URLs have one scheme, host and port.
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

// publicParameters are the query parameters that the protocol itself defines; any
// other may be a signature (presigned URLs) or a session's state.
var publicParameters = map[string]bool{
	"n": true, "last": true, "digest": true, "mount": true, "from": true,
	"scope": true, "service": true, "artifactType": true,
}

// redacted returns u without anything that could be a secret.
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
