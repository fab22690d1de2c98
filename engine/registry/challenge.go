package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
)

// ChallengeError says that a registry wants a token, and not from where.
type ChallengeError struct {
	Challenge string // as it sent it
}

func (e *ChallengeError) Error() string {
	return fmt.Sprintf("the registry wants a token and does not say from where: WWW-Authenticate: %s", e.Challenge)
}

// errNoRealm says that a request for a token has nowhere to go.
var errNoRealm = errors.New("the challenge has no realm")

// challenge is one way in which a server wants to be authenticated to.
type challenge struct {
	scheme     string            // in lower case
	parameters map[string]string // by their names in lower case; the first of a name counts
}

// String writes a challenge in the plainest form, the one that oras-go reads.
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

// strongest returns the challenge that can be met best: a token from a service, which
// may be had without a credential, then a password.
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
			r = 1 // good for a client that has a token already
		}
		if r > rank {
			best, rank = c, r
		}
	}
	return best, rank > 0
}

// keepStrongest leaves, of the challenges of a response, the one that is met.
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

// withChallenge makes a context that keeps what its request is challenged with.
func withChallenge(ctx context.Context) context.Context {
	return context.WithValue(ctx, challengeKey{}, new(atomic.Pointer[string]))
}

// challengeError returns err, or the challenge that the request of ctx could not meet.
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

// parseChallenges takes the value of a WWW-Authenticate header apart (RFC 9110,
// 11.6.1). Of one that is malformed, what stands before the fault counts.
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
		if len(all) > 0 && strings.HasPrefix(s.rest, "=") { // of a parameter, else it is a scheme
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
