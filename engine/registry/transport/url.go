package transport

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// ResolveLocation resolves the URL in a Location or Link header. A registry behind a proxy
// that terminates TLS often sends http, or omits its port: on the same host the scheme and
// the port of the request count.
func ResolveLocation(base *url.URL, location string) (*url.URL, error) {
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

// SameOrigin reports whether two URLs have the same scheme, host and port.
func SameOrigin(a, b *url.URL) bool {
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

// Redacted returns u with every possible secret masked.
func Redacted(u *url.URL) *url.URL {
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

// hideQuery masks URLs in the errors of net/http: a redirect may have led to a presigned URL,
// which gives access to every reader. It copies the error, which all requests that waited
// for one token may share, and drops the errors that wrap it, whose text has the URL.
func hideQuery(err error) error {
	var found *url.Error
	if !errors.As(err, &found) {
		return err
	}
	hidden := *found
	if u, parseErr := url.Parse(found.URL); parseErr == nil {
		hidden.URL = Redacted(u).String()
	}
	if err == error(found) {
		return &hidden
	}
	return fmt.Errorf("authentication: %w", &hidden)
}
