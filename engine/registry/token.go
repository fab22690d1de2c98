package registry

import (
	"context"
	"sync"
	"time"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/auth"
)

// freshFor is how long a token counts as just fetched: when many requests are
// turned away at once because a token has expired, one of them renews it.
const freshFor = 5 * time.Second

// tokens is the auth.Cache of one account. Unlike oras-go's it does not end the
// fetch of a token that many wait for when the one that began it is cancelled,
// and it knows which token a request was turned away with.
type tokens struct {
	now func() time.Time

	mu      sync.Mutex // guards what follows
	scheme  auth.Scheme
	known   map[string]token
	flights map[string]*flight
}

type token struct {
	value string
	at    time.Time
}

// flight is a token on its way. Its goroutine ends with the fetch, which is
// cancelled when the last one that waits for it has gone.
type flight struct {
	done    chan struct{}
	value   string
	err     error
	cancel  context.CancelFunc
	waiting int
}

func newTokens(now func() time.Time) *tokens {
	return &tokens{now: now, known: make(map[string]token), flights: make(map[string]*flight)}
}

type shownKey struct{}

// shown is which token a request showed last, and whether there had been a token
// of that kind before the one that it was given then.
type shown struct {
	value   string
	fetched bool // a token was asked for on its behalf
	renewal bool
}

// maxRenewals is how often a request is sent again because its token may have
// expired while it waited for a place.
const maxRenewals = 3

// rememberToken makes a context that keeps what its request showed. A context
// serves one request, whose steps follow one another.
func rememberToken(ctx context.Context) context.Context {
	return context.WithValue(ctx, shownKey{}, new(shown))
}

// mayHaveExpired reports whether it is worth while to send the request of ctx
// for the n-th time again (from 0) with a new token, though it was turned away
// with one: that may have expired before it was shown, where tokens last for
// seconds and requests wait for a place. A first token gets one such chance, one
// that took the place of an older one maxRenewals.
func mayHaveExpired(ctx context.Context, n int) bool {
	s, ok := ctx.Value(shownKey{}).(*shown)
	return ok && s.fetched && (n == 0 || s.renewal && n < maxRenewals)
}

// GetScheme implements auth.Cache.
func (t *tokens) GetScheme(context.Context, string) (auth.Scheme, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.scheme == auth.SchemeUnknown {
		return t.scheme, errdef.ErrNotFound
	}
	return t.scheme, nil
}

// GetToken implements auth.Cache.
func (t *tokens) GetToken(ctx context.Context, _ string, scheme auth.Scheme, key string) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k, ok := t.known[id(scheme, key)]
	if !ok {
		return "", errdef.ErrNotFound
	}
	if s, ok := ctx.Value(shownKey{}).(*shown); ok {
		s.value = k.value
	}
	return k.value, nil
}

// Set implements auth.Cache: it fetches a token, together with all who want the
// same one.
func (t *tokens) Set(ctx context.Context, _ string, scheme auth.Scheme, key string, fetch func(context.Context) (string, error)) (string, error) {
	t.mu.Lock()
	name := id(scheme, key)
	if value, ok := t.renewed(ctx, name); ok {
		t.mu.Unlock()
		return value, nil
	}
	f, ok := t.flights[name]
	if !ok {
		inFlight, cancel := context.WithCancel(context.WithoutCancel(ctx))
		f = &flight{done: make(chan struct{}), cancel: cancel}
		t.flights[name] = f
		go t.fly(inFlight, f, scheme, name, fetch)
	}
	f.waiting++
	t.mu.Unlock()

	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		t.leave(f, name)
		return "", ctx.Err()
	}
}

// renewed returns the token that another request fetched after this one was
// turned away; t.mu is held.
func (t *tokens) renewed(ctx context.Context, name string) (string, bool) {
	s, ok := ctx.Value(shownKey{}).(*shown)
	if !ok {
		return "", false
	}
	k, have := t.known[name]
	s.fetched, s.renewal = true, have
	return k.value, have && s.value != "" && k.value != s.value && t.now().Sub(k.at) <= freshFor
}

func (t *tokens) fly(ctx context.Context, f *flight, scheme auth.Scheme, name string, fetch func(context.Context) (string, error)) {
	defer f.cancel()
	f.value, f.err = fetch(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	if f.err == nil {
		t.scheme = scheme
		t.known[name] = token{value: f.value, at: t.now()}
	}
	if t.flights[name] == f {
		delete(t.flights, name)
	}
	close(f.done)
}

func (t *tokens) leave(f *flight, name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f.waiting--
	if f.waiting > 0 {
		return
	}
	f.cancel()
	if t.flights[name] == f {
		delete(t.flights, name)
	}
}

func id(scheme auth.Scheme, key string) string {
	return scheme.String() + " " + key
}
