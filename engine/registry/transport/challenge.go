package transport

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
)

// errNoRealm is the error for a request to a token service without an address.
var errNoRealm = errors.New("the challenge has no realm")

// challenge is one authentication scheme that a server accepts.
type challenge struct {
	scheme     string            // in lower case
	parameters map[string]string // by their names in lower case; the first of a name counts
}

// String returns the simple form of a challenge that oras-go can parse.
func (c challenge) String() string {
	if c.scheme != "bearer" {
		return "Basic realm=" + strconv.Quote(c.parameters["realm"])
	}
	s := "Bearer realm=" + strconv.Quote(c.parameters["realm"])
	for _, name := range []string{"service", "scope"} {
		if value, ok := c.parameters[name]; ok {
			s += "," + name + "=" + strconv.Quote(value)
		}
	}
	return s
}

// strongest returns the preferred challenge: a token from a service, which may need no
// credential, then a password.
func strongest(all []challenge) (best challenge, ok bool) {
	rank := 0
	for _, c := range all {
		r := 0
		switch {
		case c.scheme == "bearer" && c.parameters["realm"] != "":
			r = 3
		case c.scheme == "basic":
			r = 2
		case c.scheme == "bearer":
			r = 1 // usable only with a token that the client has already
		}
		if r > rank {
			best, rank = c, r
		}
	}
	return best, rank > 0
}

// keepStrongest replaces the challenges of a response with the preferred one.
func keepStrongest(resp *http.Response) {
	header := strings.Join(resp.Header.Values("Www-Authenticate"), ", ")
	c, ok := strongest(parseChallenges(header))
	if !ok {
		return
	}
	resp.Header.Set("Www-Authenticate", c.String())
	if last, ok := resp.Request.Context().Value(challengeKey{}).(*atomic.Pointer[string]); ok {
		last.Store(&header)
	}
}

type challengeKey struct{}

// withChallenge returns a context that records the challenge to its request.
func withChallenge(ctx context.Context) context.Context {
	return context.WithValue(ctx, challengeKey{}, new(atomic.Pointer[string]))
}

// challengeError returns err, or a ChallengeError if the request of ctx got a challenge
// without a realm.
func challengeError(ctx context.Context, err error) error {
	last, ok := ctx.Value(challengeKey{}).(*atomic.Pointer[string])
	if !ok || !errors.Is(err, errNoRealm) {
		return err
	}
	if header := last.Load(); header != nil {
		return &ChallengeError{Challenge: *header}
	}
	return err
}

// parseChallenges parses the value of a WWW-Authenticate header (RFC 9110, 11.6.1). If
// it is malformed the challenges before the fault count.
func parseChallenges(header string) []challenge {
	var all []challenge
	s := scanner{header}
	for {
		for s.space(); s.skip(','); s.space() {
		}
		word := s.token()
		if word == "" {
			return all
		}
		s.space()
		if len(all) > 0 && strings.HasPrefix(s.rest, "=") { // word names a parameter, else a scheme
			value, ok := s.value(",")
			if !ok {
				return all
			}
			parameters, name := all[len(all)-1].parameters, strings.ToLower(word)
			if _, again := parameters[name]; !again {
				parameters[name] = value
			}
			continue
		}
		all = append(all, challenge{strings.ToLower(word), make(map[string]string)})
		s.token68()
	}
}
