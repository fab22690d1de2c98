package main

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// secrets are kept out of what is said and written. Our own words have none; but
// a registry may say in its error what it was sent, and a proxy's URL may have a
// password. The zero value knows none and still knows the looks of some.
type secrets struct {
	mu    sync.Mutex // guards known
	known []string
}

// leastSecret keeps a password that is a short word from blotting out the same
// word elsewhere.
const leastSecret = 6

const hidden = "xxxxx"

// add notes a secret, and how it looks on the way to a registry.
func (s *secrets) add(username, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	basic := base64.StdEncoding.EncodeToString([]byte(username + ":" + secret))
	query := url.QueryEscape(secret)
	for _, text := range []string{secret, query, strings.ReplaceAll(query, "+", "%20"), url.PathEscape(secret), basic} {
		if len(text) >= leastSecret && !slices.Contains(s.known, text) {
			s.known = append(s.known, text)
		}
	}
}

var secretHeader = regexp.MustCompile(`(?i)auth|cookie|token|secret|key|pass|pwd|cred|sess|jwt|sig`)

// addHeaders notes the values of headers that are there to let somebody in.
func (s *secrets) addHeaders(headers http.Header) {
	for name, values := range headers {
		if !secretHeader.MatchString(name) {
			continue
		}
		for _, value := range values {
			s.add("", value)
			if _, token, ok := strings.Cut(value, " "); ok {
				s.add("", token)
			}
		}
	}
}

// addProxies notes the passwords in the URLs of proxies. One that is no URL is quoted
// whole by what cannot read it.
func (s *secrets) addProxies(environ []string) {
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		if !strings.HasSuffix(strings.ToLower(name), "_proxy") {
			continue
		}
		_, rest, found := strings.Cut(value, "://")
		if !found {
			rest = value
		}
		at := strings.LastIndex(rest, "@")
		if username, password, ok := strings.Cut(rest[:max(at, 0)], ":"); ok {
			s.add(username, password)
			if plain, err := url.PathUnescape(password); err == nil {
				s.add(username, plain)
			}
		}
	}
}

var (
	userInfo   = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)[^/?#\s@"']+@`)
	credential = regexp.MustCompile(`(?i)\b(bearer|basic) +([A-Za-z0-9._~+/=-]{8,})`)
	parameter  = regexp.MustCompile(`(?i)([?&][a-z0-9_-]*(?:sig|token|credential|password|secret|key)[a-z0-9_-]*=)[^&\s"']+`)
)

// hide returns text without secrets.
func (s *secrets) hide(text string) string {
	s.mu.Lock()
	known := slices.Clone(s.known)
	s.mu.Unlock()
	for _, secret := range known {
		text = strings.ReplaceAll(text, secret, hidden)
	}
	text = userInfo.ReplaceAllString(text, "${1}"+hidden+"@")
	text = parameter.ReplaceAllString(text, "${1}"+hidden)
	return credential.ReplaceAllStringFunc(text, func(found string) string {
		scheme, value, _ := strings.Cut(found, " ")
		if !strings.ContainsAny(value, "0123456789=") {
			return found // "basic authentication"
		}
		return scheme + " " + hidden
	})
}
