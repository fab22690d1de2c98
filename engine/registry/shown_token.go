package registry

import (
	"context"
	"net/http"
	"strings"
	"time"
)

type shownTokenKey struct{}

// shownIn returns the token that the request of ctx shows.
func shownIn(ctx context.Context) (*shownToken, bool) {
	s, ok := ctx.Value(shownTokenKey{}).(*shownToken)
	return s, ok
}

// shownToken is the token that a request was last sent with.
type shownToken struct {
	tokens      *tokens
	name, value string
	at          time.Time // when the token was fetched
	sent        time.Time
	version     int   // of a password
	turn        *turn // to show a password that is not accepted yet
}

// withShownToken returns a context that records the token of its request. A context is for
// one request, whose steps follow one another.
func (t *tokens) withShownToken(ctx context.Context) context.Context {
	return context.WithValue(ctx, shownTokenKey{}, &shownToken{tokens: t})
}

// beforeSend refreshes the token of a request and records when it is sent.
func beforeSend(req *http.Request, now time.Time) {
	if s, ok := shownIn(req.Context()); ok {
		s.tokens.renew(req)
		s.sent = now
	}
}

// accepted records that the registry accepted the token of the request of ctx.
func (t *tokens) accepted(ctx context.Context) {
	s, ok := shownIn(ctx)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if k := t.known[s.name]; k.value == s.value && s.value != "" {
		k.accepted = true
		t.known[s.name] = k
	}
}

// mayHaveExpired reports whether to send the request of ctx again with a new token after a
// 401: its token may have expired before it was sent, if tokens are valid for seconds and
// requests wait for a slot. A new token that was never accepted has not expired: it is
// refused.
func (t *tokens) mayHaveExpired(ctx context.Context) bool {
	s, ok := shownIn(ctx)
	if !ok || s.value == "" || isBasic(s.name) {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	k := t.known[s.name]
	return k.value != s.value || k.accepted || s.sent.Sub(s.at) >= minTokenLife
}

// wasOld reports whether the token of the request of ctx may have expired between two
// requests.
func wasOld(ctx context.Context) bool {
	s, ok := shownIn(ctx)
	return ok && s.value != "" && s.sent.Sub(s.at) >= minTokenLife
}

// show records the token for the request of ctx. The caller holds t.mu.
func (t *tokens) show(ctx context.Context, name string) {
	if s, ok := shownIn(ctx); ok {
		k := t.known[name]
		s.name, s.value, s.at, s.version = name, k.value, k.at, k.version
	}
}

// shownTokenName returns the account's name for the token of the request of ctx.
func shownTokenName(ctx context.Context) string {
	if s, ok := shownIn(ctx); ok {
		return s.name
	}
	return ""
}

// shownTokenValue returns the token of the request of ctx.
func shownTokenValue(ctx context.Context) string {
	if s, ok := shownIn(ctx); ok {
		return s.value
	}
	return ""
}

// expectToken sets the name of the token that the request of ctx will be sent with.
func expectToken(ctx context.Context, name string) {
	if s, ok := shownIn(ctx); ok {
		s.name = name
	}
}

// renew replaces the token of a request with the newest one: the request may have waited
// long for its slot, and not every body can be sent again.
func (t *tokens) renew(req *http.Request) {
	s, ok := shownIn(req.Context())
	if !ok || !strings.HasPrefix(req.Header.Get("Authorization"), "Bearer ") {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if k, ok := t.known[s.name]; ok {
		req.Header.Set("Authorization", "Bearer "+k.value)
		t.show(req.Context(), s.name)
	}
}
