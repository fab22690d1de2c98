package transport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote/auth"
)

// tokenRegistry issues tokens that are valid for a number of requests.
type tokenRegistry struct {
	t        *testing.T
	host     string // filled in when it is up
	realm    string // "": itself
	lifetime int    // requests; 0: for ever
	open     bool   // next answers all but requests for a token
	next     http.HandlerFunc
	onToken  func(w http.ResponseWriter, req *http.Request) bool // true: it has answered

	mu     sync.Mutex
	issued int
	left   map[string]int
	scopes []string
	users  []string
}

func startTokens(t *testing.T, next http.HandlerFunc) *tokenRegistry {
	r := &tokenRegistry{t: t, next: next, left: make(map[string]int)}
	r.host = serve(t, r.serve)
	r.realm = "http://" + r.host + "/token"
	return r
}

func (r *tokenRegistry) serve(w http.ResponseWriter, req *http.Request) {
	if req.URL.Path == "/token" {
		r.giveToken(w, req)
		return
	}
	if r.open || r.spend(strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")) {
		r.next(w, req)
		return
	}
	w.Header().Set("Www-Authenticate", fmt.Sprintf(`Bearer realm=%q,service="test"`, r.realm))
	giveError(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
}

func (r *tokenRegistry) spend(token string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left[token] == 0 {
		return false
	}
	r.left[token]--
	return true
}

func (r *tokenRegistry) giveToken(w http.ResponseWriter, req *http.Request) {
	if r.onToken != nil && r.onToken(w, req) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.issued++
	user, password, _ := req.BasicAuth()
	r.users = append(r.users, user+":"+password)
	r.scopes = append(r.scopes, strings.Join(req.URL.Query()["scope"], " "))
	token := fmt.Sprintf("token%d", r.issued)
	r.left[token] = 1 << 30
	if r.lifetime > 0 {
		r.left[token] = r.lifetime
	}
	fmt.Fprintf(w, `{"token":%q}`, token)
}

func manifests(w http.ResponseWriter, req *http.Request) { giveManifest(w, req, imageManifest) }

func TestOneTokenForAScope(t *testing.T) {
	reg := startTokens(t, manifests)
	client := newRegistries(newClock().options(t))
	r := open(t, client, reg.host, "test/repo")
	for range 5 {
		_, err := r.Resolve(t.Context(), "v1")
		noError(t, err)
	}
	equal(t, "tokens", reg.issued, 1)
	equal(t, "scope", reg.scopes[0], "repository:test/repo:pull")
	pushed := open(t, client, reg.host, "other/repo")
	pushed.ExpectPush()
	for range 5 {
		_, err := pushed.Resolve(t.Context(), "v1")
		noError(t, err)
	}
	equal(t, "tokens", reg.issued, 2)
	equal(t, "scope", reg.scopes[1], "repository:other/repo:pull,push")
	both := auth.AppendRepositoryScope(t.Context(), registry.Reference{Registry: reg.host, Repository: "test/repo"}, auth.ActionPull)
	_, err := pushed.Resolve(both, "v1")
	noError(t, err)
	equal(t, "scopes of two repositories", reg.scopes[2], "repository:other/repo:pull,push repository:test/repo:pull")
}

func TestTokensThatExpire(t *testing.T) {
	reg := startTokens(t, manifests)
	reg.lifetime = 3
	r := open(t, newRegistries(newClock().options(t)), reg.host, "test/repo")
	for range 12 {
		_, _, err := r.FetchManifest(t.Context(), "v1")
		noError(t, err)
	}
	equal(t, "tokens", reg.issued, 4)
}

// TestOneRenewalForMany turns many requests away with one old token: the first
// one of them renews it, the others find the new one.
func TestOneRenewalForMany(t *testing.T) {
	tokens := newTokens(newClock().Now)
	fetched := 0
	fetch := func(context.Context) (string, error) {
		fetched++
		return fmt.Sprintf("token%d", fetched), nil
	}
	set := func(ctx context.Context) string {
		value, err := tokens.Set(ctx, "r", auth.SchemeBearer, "scope", fetch)
		noError(t, err)
		return value
	}
	set(t.Context())
	var turnedAway []context.Context
	for range 5 {
		ctx := tokens.withShownToken(t.Context())
		_, err := tokens.GetToken(ctx, "r", auth.SchemeBearer, "scope")
		noError(t, err)
		turnedAway = append(turnedAway, ctx)
	}
	for _, ctx := range turnedAway {
		equal(t, "token", set(ctx), "token2")
	}
	equal(t, "fetches", fetched, 2)
}

func TestRenewedTokenIsNotBelievedForLong(t *testing.T) {
	c := newClock()
	tokens := newTokens(c.Now)
	n := 0
	fetch := func(context.Context) (string, error) {
		n++
		return fmt.Sprint(n), nil
	}
	ctx := tokens.withShownToken(t.Context())
	tokens.Set(ctx, "r", auth.SchemeBearer, "s", fetch)
	tokens.GetToken(ctx, "r", auth.SchemeBearer, "s")
	tokens.Set(tokens.withShownToken(t.Context()), "r", auth.SchemeBearer, "s", fetch)
	c.Sleep(ctx, 10*time.Minute) // this request waited for so long
	value, err := tokens.Set(ctx, "r", auth.SchemeBearer, "s", fetch)
	noError(t, err)
	equal(t, "token", value, "3")
}

// before calls a function ahead of the first request that passes.
type before struct {
	http.RoundTripper
	done bool
	do   func() // may send requests itself
}

func (b *before) RoundTrip(req *http.Request) (*http.Response, error) {
	if !b.done {
		b.done = true
		b.do()
	}
	return b.RoundTripper.RoundTrip(req)
}

// TestBorrowedTokenThatHasExpired: a request that waited shows an old token, and
// then one that another request fetched meanwhile, which has expired as well.
func TestBorrowedTokenThatHasExpired(t *testing.T) {
	reg := startTokens(t, manifests)
	r := open(t, newRegistries(newClock().options(t)), reg.host, "test/repo")
	resolve := func() {
		_, err := r.Resolve(t.Context(), "v1")
		noError(t, err)
	}
	expire := func(token string) {
		reg.mu.Lock()
		defer reg.mu.Unlock()
		reg.left[token] = 0
	}
	resolve()
	r.host.http.Transport = &before{RoundTripper: r.host.http.Transport, do: func() {
		expire("token1")
		resolve()
		expire("token2")
	}}
	resolve()
	equal(t, "tokens", reg.issued, 3)
}

// TestFreshTokenThatIsRefused: a registry that turns away a token which was fetched
// just now means it, and is not asked again.
func TestFreshTokenThatIsRefused(t *testing.T) {
	for name, basic := range map[string]bool{"token": false, "password": true} {
		t.Run(name, func(t *testing.T) {
			reg := startTokens(t, manifests)
			reg.next = func(w http.ResponseWriter, req *http.Request) {
				if basic {
					w.Header().Set("Www-Authenticate", `Basic realm="x"`)
				} else {
					w.Header().Set("Www-Authenticate", fmt.Sprintf(`Bearer realm=%q,service="test"`, reg.realm))
				}
				giveError(w, http.StatusUnauthorized, "UNAUTHORIZED", "not you")
			}
			reg.left[""] = 1 << 30 // the challenge is that of next
			o := newClock().options(t)
			o.Settings = func(string) (Settings, error) {
				return Settings{Credential: &auth.Credential{Username: "me", Password: "secret"}}, nil
			}
			client := newRegistries(o)
			for range 3 {
				_, err := open(t, client, reg.host, "test/repo").Resolve(t.Context(), "v1")
				equal(t, "status", Status(err), http.StatusUnauthorized)
			}
			want := 3 * 2
			if basic {
				want = 2 + 1 + 1 // a refused password is not shown again
			}
			equal(t, "requests", client.Stats()["HEAD manifest"], want)
		})
	}
}

// TestTokenServiceThatFailsForMany has many wait for one token that cannot be
// had: each gets the error, without what a redirect brought in.
func TestTokenServiceThatFailsForMany(t *testing.T) {
	reg := startTokens(t, manifests)
	reg.onToken = func(w http.ResponseWriter, req *http.Request) bool {
		if req.URL.Query().Has("signature") {
			breakOff()
		}
		http.Redirect(w, req, "/token?signature=secret", http.StatusFound)
		return true
	}
	r := open(t, newRegistries(newClock().options(t)), reg.host, "test/repo")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, err := r.Resolve(t.Context(), "v1")
			if !errors.Is(err, io.EOF) || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v", err)
			}
		})
	}
	all.Wait()
}

// TestLeaderThatIsCancelled has one begin the fetch of a token and go; those
// who wait for it must not notice.
func TestLeaderThatIsCancelled(t *testing.T) {
	begun, release := make(chan struct{}), make(chan struct{})
	var fetches atomic.Int32
	reg := startTokens(t, manifests)
	reg.onToken = func(w http.ResponseWriter, req *http.Request) bool {
		if fetches.Add(1) == 1 {
			close(begun)
		}
		<-release
		return false
	}
	r := open(t, newRegistries(newClock().options(t)), reg.host, "test/repo")
	tokens := r.account.client.Cache.(*tokens)
	ctx, cancel := context.WithCancel(t.Context())
	var leader, follower error
	var wg sync.WaitGroup
	left := make(chan struct{})
	go func() {
		_, leader = r.Resolve(ctx, "v1")
		close(left)
	}()
	<-begun
	wg.Go(func() { _, follower = r.Resolve(t.Context(), "v1") })
	waiting := func() int {
		tokens.mu.Lock()
		defer tokens.mu.Unlock()
		for _, f := range tokens.flights {
			return f.waiting
		}
		return 0
	}
	for waiting() < 2 {
		runtime.Gosched()
	}
	cancel()
	<-left
	close(release)
	wg.Wait()
	equal(t, "leader was cancelled", errors.Is(leader, context.Canceled), true)
	noError(t, follower)
	equal(t, "token fetches", fetches.Load(), 1)
}

func TestUnusedTokenIsDropped(t *testing.T) {
	tokens := newTokens(newClock().Now)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	_, err := tokens.Set(ctx, "r", auth.SchemeBearer, "s", func(ctx context.Context) (string, error) {
		cancel()
		<-ctx.Done()
		ended <- ctx.Err()
		return "", ctx.Err()
	})
	equal(t, "error", errors.Is(err, context.Canceled), true)
	equal(t, "fetch was cancelled", <-ended != nil, true)
	value, err := tokens.Set(t.Context(), "r", auth.SchemeBearer, "s", func(context.Context) (string, error) { return "x", nil })
	noError(t, err)
	equal(t, "token", value, "x")
}

func TestTokenServiceOnThisMachine(t *testing.T) {
	other := startTokens(t, manifests)
	reg := startTokens(t, manifests)
	reg.realm = strings.Replace(other.realm, "127.0.0.1", "localhost", 1)
	other.onToken = func(w http.ResponseWriter, req *http.Request) bool {
		reg.giveToken(w, req)
		return true
	}
	_, err := open(t, newRegistries(newClock().options(t)), reg.host, "test/repo").Resolve(t.Context(), "v1")
	noError(t, err)

	// The same registry under another name may not send us to this machine.
	o := newClock().options(t)
	plain := true
	o.Settings = func(string) (Settings, error) {
		return Settings{PlainHTTP: &plain, Resolve: map[string]string{"registry.example:80": reg.host}}, nil
	}
	_, err = open(t, newRegistries(o), "registry.example:80", "test/repo").Resolve(t.Context(), "v1")
	if err == nil || !strings.Contains(err.Error(), "blocked") {
		t.Errorf("got %v", err)
	}
}
