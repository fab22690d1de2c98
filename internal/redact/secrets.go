package redact

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Secrets masks secrets in messages and documents. The program itself prints none, but a
// registry may quote a request in its error, and the URL of a proxy may have a password. The
// zero value knows no secrets but still masks text that looks like one.
type Secrets struct {
	mu    sync.Mutex // guards the fields below
	known []Secret
	added map[string]bool
}

// minSecret is the length from which a secret is masked by itself: a shorter one may be a
// common word.
const minSecret = 6

// Add adds a secret. A short one is masked only after its user name and a colon.
func (s *Secrets) Add(username, secret string) {
	if len(secret) < minSecret {
		secret = username + ":" + secret
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(secret) < minSecret || s.added[secret] {
		return
	}
	if s.added == nil {
		s.added = make(map[string]bool)
	}
	s.added[secret] = true
	s.known = append(s.known, New(secret))
}

var secretHeader = regexp.MustCompile(`(?i)auth|cookie|token|secret|key|pass|pwd|cred|sess|jwt|sig`)

// AddHeaders adds the values of headers that authorize a request.
func (s *Secrets) AddHeaders(headers http.Header) {
	for name, values := range headers {
		if !secretHeader.MatchString(name) {
			continue
		}
		for _, value := range values {
			s.Add("", value)
			if _, token, ok := strings.Cut(value, " "); ok {
				s.Add("", token)
			}
		}
	}
}

// AddProxies adds the passwords in proxy variables of the environment. A value that is not a
// URL counts as well: an error about it quotes it.
func (s *Secrets) AddProxies(environ []string) {
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
			s.Add(username, password)
			if plain, err := url.PathUnescape(password); err == nil {
				s.Add(username, plain)
			}
		}
	}
}

// These patterns match secrets that are not known by value. The error of a token service may
// quote the parameters of a request in any of these forms.
const (
	secretName   = `[a-z0-9_.-]*(?:sig|token|credential|password|passwd|secret|assertion|api_?key|access_?key)[a-z0-9_-]*`
	openingQuote = `(?:\\?["']|%22|&quot;|&#34;)`
)

var (
	userInfo   = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)[^/?#\s@"']+@`)
	credential = regexp.MustCompile(`(?i)((?:\b|%20)(?:bearer|basic))( +|%20|\+)([A-Za-z0-9._~+/=-]{8,})`)
	challenge  = regexp.MustCompile(`(?i)^(?:realm|service|scope|error)=`) // a challenge of a server has no secret
	parameter  = regexp.MustCompile(`(?i)([?&][a-z0-9_-]*key[a-z0-9_-]*=)[^&\s"']+`)
	assigned   = regexp.MustCompile(`(?i)(\b` + secretName + openingQuote + `?\s*(?:=|%3D)\s*` + openingQuote + `?)[^&\s"'\\,;)}\]]+`)
	member     = regexp.MustCompile(`(?i)(` + openingQuote + secretName + openingQuote + `\s*(?::|%3A)\s*` + openingQuote + `)[^"'\\&%\s]+`)
	header     = regexp.MustCompile(`(?i)(\b(?:access|refresh|identity|id|client|registry)[_-](?:token|secret):\s+)[^\s"',;]+`)
	webToken   = regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?`) // RFC 7519
)

// Hide returns text without secrets.
func (s *Secrets) Hide(text string) string {
	s.mu.Lock()
	known := slices.Clone(s.known)
	s.mu.Unlock()
	for _, secret := range known {
		text = secret.Hide(text)
	}
	text = userInfo.ReplaceAllString(text, "${1}"+Mask+"@")
	for _, looks := range []*regexp.Regexp{parameter, assigned, member, header} {
		text = looks.ReplaceAllString(text, "${1}"+Mask)
	}
	text = webToken.ReplaceAllString(text, Mask)
	return credential.ReplaceAllStringFunc(text, func(found string) string {
		parts := credential.FindStringSubmatch(found)
		if !strings.ContainsAny(parts[3], "0123456789=") || challenge.MatchString(parts[3]) {
			return found // "basic authentication", `Bearer service="a.io"`
		}
		return parts[1] + parts[2] + Mask
	})
}
