package registry

import (
	"context"
	"net/http"
	"strings"
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
	now     func() time.Time
	account *account // that gets them; nil in tests

	mu      sync.Mutex // guards what follows
	scheme  auth.Scheme
	known   map[string]token
	flights map[string]*flight
}

type token struct {
	value string
	at    time.Time
	took  bool // the registry has let a request in with it

	version int // of a password: the one of the account that it is from
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

type shownTokenKey struct{}

// shownIn returns the token that the request of ctx shows.
func shownIn(ctx context.Context) (*shownToken, bool) {
	s, ok := ctx.Value(shownTokenKey{}).(*shownToken)
	return s, ok
}

// shownToken is the token that a request showed last.
type shownToken struct {
	tokens      *tokens
	name, value string
	at          time.Time // when the token was fetched
	sent        time.Time
	version     int   // of a password
	turn        *turn // to show a password that is not accepted yet
}

const (
	// maxRenewals is how often a request is sent again because its token may have
	// expired while it waited for a place.
	maxRenewals = 3
	// minTokenLife is the shortest lifetime that a registry gives a token.
	minTokenLife = time.Second
)

// withShownToken makes a context that keeps what its request shows. A context serves one
// request, whose steps follow one another.
func (t *tokens) withShownToken(ctx context.Context) context.Context {
	return context.WithValue(ctx, shownTokenKey{}, &shownToken{tokens: t})
}

// beforeSend renews the token of a request and records when it is sent.
func beforeSend(req *http.Request, now time.Time) {
	if s, ok := shownIn(req.Context()); ok {
		s.tokens.renew(req)
		s.sent = now
	}
}

// accepted notes that the token which the request of ctx showed is good.
func (t *tokens) accepted(ctx context.Context) {
	s, ok := shownIn(ctx)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if k := t.known[s.name]; k.value == s.value && s.value != "" {
		k.took = true
		t.known[s.name] = k
	}
}

// mayHaveExpired reports whether it is worth while to send the request of ctx
// again with a new token, though it was turned away with one: that may have expired
// before it was shown, where tokens last for seconds and requests wait for a
// place. One that is fresh and never let anybody in has not: it is refused.
func (t *tokens) mayHaveExpired(ctx context.Context) bool {
	s, ok := shownIn(ctx)
	if !ok || s.value == "" || isBasic(s.name) {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	k := t.known[s.name]
	return k.value != s.value || k.took || s.sent.Sub(s.at) >= minTokenLife
}

// wasOld reports whether the request of ctx showed a token that may have expired on
// its way from one request to the next.
func wasOld(ctx context.Context) bool {
	s, ok := shownIn(ctx)
	return ok && s.value != "" && s.sent.Sub(s.at) >= minTokenLife
}

// show notes the token that the request of ctx is given; t.mu is held.
func (t *tokens) show(ctx context.Context, name string) {
	if s, ok := shownIn(ctx); ok {
		k := t.known[name]
		s.name, s.value, s.at, s.version = name, k.value, k.at, k.version
	}
}

// shownTokenName returns the account's name for the token that the request of ctx showed.
func shownTokenName(ctx context.Context) string {
	if s, ok := shownIn(ctx); ok {
		return s.name
	}
	return ""
}

// shownTokenValue returns the token that the request of ctx showed last.
func shownTokenValue(ctx context.Context) string {
	if s, ok := shownIn(ctx); ok {
		return s.value
	}
	return ""
}

// expectToken says which token the request of ctx is signed with.
func expectToken(ctx context.Context, name string) {
	if s, ok := shownIn(ctx); ok {
		s.name = name
	}
}

// renew gives a request that was signed with a token the newest one of its kind: it
// may have waited long for its place, and a body cannot always be sent again.
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
	if !ok || scheme == auth.SchemeBasic && !k.took {
		return "", errdef.ErrNotFound
	}
	t.show(ctx, name)
	return k.value, nil
}

// Set implements auth.Cache: it fetches a token, together with all others that want the
// same one.
func (t *tokens) Set(ctx context.Context, _ string, scheme auth.Scheme, key string, fetch func(context.Context) (string, error)) (string, error) {
	name := id(scheme, key)
	if scheme == auth.SchemeBasic && t.account != nil {
		return t.account.basic(ctx, name, fetch)
	}
	t.mu.Lock()
	if value, ok := t.renewed(ctx, name); ok {
		t.show(ctx, name)
		t.mu.Unlock()
		return value, nil
	}
	f, ok := t.flights[name]
	if !ok {
		inFlight, cancel := context.WithCancel(context.WithoutCancel(ctx))
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

// renewed returns the token that another request fetched after this one was
// turned away; t.mu is held.
func (t *tokens) renewed(ctx context.Context, name string) (string, bool) {
	s, ok := shownIn(ctx)
	if !ok {
		return "", false
	}
	k, have := t.known[name]
	return k.value, have && s.value != "" && k.value != s.value && t.now().Sub(k.at) <= freshFor
}

func (t *tokens) fetchToken(ctx context.Context, f *flight, scheme auth.Scheme, name string, fetch func(context.Context) (string, error)) {
	defer f.cancel()
	if t.account != nil {
		f.value, f.err = t.account.logIn(ctx, name, fetch)
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

// keepBasic notes the password that the request of ctx shows.
func (t *tokens) keepBasic(ctx context.Context, name, value string, version int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.scheme = auth.SchemeBasic
	if k := t.known[name]; k.value != value || k.version != version {
		t.known[name] = token{value: value, at: t.now(), version: version}
	}
	t.show(ctx, name)
}

// forget drops a password, so that the next request is sent without.
func (t *tokens) forget(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.known, name)
}

func isBasic(name string) bool { return name == id(auth.SchemeBasic, "") }

func id(scheme auth.Scheme, key string) string {
	return scheme.String() + " " + key
}
