package transport

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/oras-mirror/oras-mirror/engine/registry/credentials"
)

// Host is the state of one host.
type Host struct {
	*shared
	name       string   // as in references: docker.io
	base       *url.URL // https://registry-1.docker.io
	credential *auth.Credential
	stores     *credentials.Stores // of the credentials
	health     *health
	limit      *limit
	http       *http.Client
	sent       *atomic.Int64 // requests

	mu    sync.Mutex // guards auths
	auths map[string]*account
}

func newHost(all *shared, name string, base *url.URL, s Settings, stores *credentials.Stores, tls *tls.Config) *Host {
	h := &Host{
		shared:     all,
		name:       name,
		base:       base,
		credential: s.Credential,
		stores:     stores,
		health:     newHealth(name, all.options.Retry),
		auths:      make(map[string]*account),
	}
	h.limit = newLimit(all.slots, s, h.health, all.options.Retry)
	sender := newSender(all, base, s, tls, h.limit)
	h.sent = &sender.sent
	direct := &retrier{next: sender, base: base, health: h.health, stats: &all.stats}
	withGuests := *direct
	withGuests.guests = newGuests(base, all.options.Retry.Now, direct)
	h.http = &http.Client{Transport: &withGuests, CheckRedirect: checkRedirect}
	return h
}

// Name returns the name of the host, as in references.
func (h *Host) Name() string { return h.name }

// Base returns the URL of the host, without a path.
func (h *Host) Base() *url.URL { return h.base }

// Requests returns the number of requests that were sent, with those for tokens and to the places
// that the host redirects to.
func (h *Host) Requests() int { return int(h.sent.Load()) }

// Retry returns the options for retries, with their defaults.
func (h *Host) Retry() RetryOptions { return h.options.Retry }

// Wait sleeps before the next try of an operation that began at since and failed with err. It
// returns err if there is no next try.
func (h *Host) Wait(ctx context.Context, try int, since time.Time, err error) error {
	return h.health.wait(ctx, try, since, err)
}

// RecordFailure records an operation that failed after all its tries. After several different
// ones in a row the host counts as down.
func (h *Host) RecordFailure(operation string, err error) { h.health.recordFailure(operation, err) }

// IsReady reports whether a request with ctx would be sent now, without a pause.
func (h *Host) IsReady(ctx context.Context) bool { return h.health.readyFor(ctx) }

// PassedOver returns the reason why requests of [Brief] are not sent to the host now, nil if
// they are.
func (h *Host) PassedOver() error { return h.health.detour.passed(h.options.Retry.Now()) }

// NoteBrief records how an operation with [Brief] ended, and reports whether the user should
// know.
func (h *Host) NoteBrief(err error) (tell bool) {
	return h.health.detour.note(err, h.health.hasAnswered(), h.options.Retry.Now())
}

// Client returns a client for a repository of the host, or for the catalog if repository is
// empty.
func (h *Host) Client(repository string) *Client {
	return &Client{host: h, account: h.account(repository), ref: registry.Reference{Registry: h.name, Repository: repository}}
}

// account returns the account that authenticates requests for a repository. The
// repositories of a registry share one unless the credentials files have several.
func (h *Host) account(repository string) *account {
	key := ""
	if h.credential == nil {
		key = h.stores.Namespace(h.base.Host, repository)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	a, ok := h.auths[key]
	if !ok {
		a = newAccount(h.name, &h.options, h.credential, stored{h.stores, h.base.Host, repository})
		a.client = authClient(h.http, h.base, a.tokens, a.lookUp)
		h.auths[key] = a
	}
	return a
}
