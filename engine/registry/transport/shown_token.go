package transport

import (
	"context"
	"net/http"
	"time"
)

// minTokenLife is the shortest lifetime that a registry gives a token.
const minTokenLife = time.Second

type shownTokenKey struct{}

// shownIn returns the token that the request of ctx shows.
func shownIn(ctx context.Context) (*shownToken, bool) {
	s, ok := ctx.Value(shownTokenKey{}).(*shownToken)
	return s, ok
}

// shownToken is the token that a request was last sent with.
type shownToken struct {
	renew       func(*http.Request) // replaces the token with the newest one
	name, value string
	at          time.Time // when the token was fetched
	sent        time.Time
	version     int   // of a password
	turn        *turn // to show a password that is not accepted yet
}

// beforeSend refreshes the token of a request and records when it is sent.
func beforeSend(req *http.Request, now time.Time) {
	if s, ok := shownIn(req.Context()); ok {
		s.renew(req)
		s.sent = now
	}
}

// wasOld reports whether the token of the request of ctx may have expired between two
// requests.
func wasOld(ctx context.Context) bool {
	s, ok := shownIn(ctx)
	return ok && s.value != "" && s.sent.Sub(s.at) >= minTokenLife
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
