package transport

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/auth"
)

// freshFor is the time during which a token counts as new: if many requests are refused at
// once because a token has expired, one of them renews it.
const freshFor = 5 * time.Second

// issuer fetches the tokens and the password of an account, and keeps a wrong credential from
// being sent often.
type issuer interface {
	logIn(ctx context.Context, name string, fetch func(context.Context) (string, error)) (string, error)
	basic(ctx context.Context, name string, fetch func(context.Context) (string, error)) (string, error)
}

// tokens is the auth.Cache of one account. Unlike oras-go's it does not cancel the fetch of
// a token that many wait for when the request that started it is cancelled, and it knows
// which token a request was refused with.
type tokens struct {
	now    func() time.Time
	issuer issuer // nil: requests fetch them themselves

	mu      sync.Mutex // guards what follows
	scheme  auth.Scheme
	known   map[string]token
	flights map[string]*flight
}

type token struct {
	value    string
	at       time.Time
	accepted bool // the registry has accepted it

	version int // of a password: the one of the account that it is from
}

// flight is the fetch of a token. Its goroutine ends with the fetch, which is cancelled when
// no request waits for it any more.
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

// maxRenewals bounds how often a request is sent again because its token may have expired
// while it waited for a slot.
const maxRenewals = 3

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
	name := id(scheme, key)
	k, ok := t.known[name]
	if !ok || scheme == auth.SchemeBasic && !k.accepted {
		return "", errdef.ErrNotFound
	}
	t.show(ctx, name)
	return k.value, nil
}

// Set implements auth.Cache: it fetches a token, once for all requests that need the same
// one.
func (t *tokens) Set(ctx context.Context, _ string, scheme auth.Scheme, key string, fetch func(context.Context) (string, error)) (string, error) {
	name := id(scheme, key)
	if scheme == auth.SchemeBasic && t.issuer != nil {
		return t.issuer.basic(ctx, name, fetch)
	}
	t.mu.Lock()
	if value, ok := t.renewed(ctx, name); ok {
		t.show(ctx, name)
		t.mu.Unlock()
		return value, nil
	}
	f, ok := t.flights[name]
	if !ok {
		// Without a slot: a transfer that holds slots may wait for this token.
		inFlight, cancel := context.WithCancel(Relayed(context.WithoutCancel(ctx)))
		f = &flight{done: make(chan struct{}), cancel: cancel}
		t.flights[name] = f
		go t.fetchToken(inFlight, f, scheme, name, fetch)
	}
	f.waiting++
	t.mu.Unlock()

	select {
	case <-f.done:
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.known[name].value == f.value {
			t.show(ctx, name)
		}
		return f.value, f.err
	case <-ctx.Done():
		t.abandon(f, name)
		return "", ctx.Err()
	}
}

// renewed returns the token that another request fetched after this one was refused. The
// caller holds t.mu.
func (t *tokens) renewed(ctx context.Context, name string) (string, bool) {
	s, ok := shownIn(ctx)
	if !ok {
		return "", false
	}
	k, have := t.known[name]
	return k.value, have && s.value != "" && k.value != s.value && t.now().Sub(k.at) <= freshFor
}

// fetchToken fetches a token, stores it, and ends its flight.
func (t *tokens) fetchToken(ctx context.Context, f *flight, scheme auth.Scheme, name string, fetch func(context.Context) (string, error)) {
	defer f.cancel()
	if t.issuer != nil {
		f.value, f.err = t.issuer.logIn(ctx, name, fetch)
	} else {
		f.value, f.err = fetch(ctx)
	}
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

// abandon ends the wait of one request for a flight, and cancels the flight if no other
// request waits for it.
func (t *tokens) abandon(f *flight, name string) {
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

// keepBasic stores the password that the request of ctx sends.
func (t *tokens) keepBasic(ctx context.Context, name, value string, version int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.scheme = auth.SchemeBasic
	if k := t.known[name]; k.value != value || k.version != version {
		t.known[name] = token{value: value, at: t.now(), version: version}
	}
	t.show(ctx, name)
}

// forget drops a password, so that the next request is sent without it.
func (t *tokens) forget(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.known, name)
}

func isBasic(name string) bool { return name == id(auth.SchemeBasic, "") }

func id(scheme auth.Scheme, key string) string {
	return scheme.String() + " " + key
}

// withShownToken returns a context that records the token of its request. A context is for
// one request, whose steps follow one another.
func (t *tokens) withShownToken(ctx context.Context) context.Context {
	return context.WithValue(ctx, shownTokenKey{}, &shownToken{renew: t.renew})
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

// show records the token for the request of ctx. The caller holds t.mu.
func (t *tokens) show(ctx context.Context, name string) {
	if s, ok := shownIn(ctx); ok {
		k := t.known[name]
		s.name, s.value, s.at, s.version = name, k.value, k.at, k.version
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
