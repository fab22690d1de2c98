package transport

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"sync"

	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/oras-mirror/oras-mirror/engine/registry/credentials"
	"github.com/oras-mirror/oras-mirror/internal/loopback"
)

// stored is the credential that the stores have for a repository of a host.
type stored struct {
	stores           *credentials.Stores
	host, repository string
}

func (c stored) find(ctx context.Context) (auth.Credential, error) {
	return c.stores.Credential(ctx, c.host, c.repository)
}

// reload reads the files and asks the helpers again.
func (c stored) reload(ctx context.Context) (auth.Credential, error) {
	return c.stores.Reload(ctx, c.host, c.repository)
}

// account authenticates the requests to one registry with one credential. oras-go's
// token cache does not tell credentials apart, so each account has its own.
type account struct {
	registry string
	client   *auth.Client
	tokens   *tokens // the client's cache
	stored   stored
	onSecret func(username, secret string)
	fixed    bool          // the credential is given and never looked up
	gate     chan struct{} // of size 1: held while a credential is tried that is not accepted yet

	mu         sync.Mutex // guards what follows; held while a helper runs
	lookedUp   bool
	credential auth.Credential
	err        error
	login
}

// newAccount returns an account at a registry. fixed is a given credential, or nil.
func newAccount(registry string, o *Options, fixed *auth.Credential, from stored) *account {
	a := &account{registry: registry, stored: from, onSecret: o.Secret, tokens: newTokens(o.Retry.Now), gate: make(chan struct{}, 1)}
	a.tokens.issuer = a
	if fixed != nil {
		a.lookedUp, a.fixed, a.credential = true, true, *fixed
	}
	return a
}

// authClient returns a client that logs in to the registry at base. credential may be nil.
func authClient(c *http.Client, base *url.URL, cache *tokens, credential func(context.Context) (auth.Credential, error)) *auth.Client {
	return &auth.Client{
		Client:               c,
		Cache:                cache,
		ClientID:             defaultUserAgent,
		BlockedRealmPrefixes: blockedRealms(base),
		Credential: func(ctx context.Context, _ string) (auth.Credential, error) {
			if credential == nil {
				return auth.EmptyCredential, nil
			}
			return credential(ctx)
		},
	}
}

// lookUp reads the stores once. It keeps an error (a helper that is not installed) for
// later: a public image needs no credential.
func (a *account) lookUp(ctx context.Context) (auth.Credential, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lookedUp {
		return a.credential, nil
	}
	credential, err := a.stored.find(ctx)
	if ctx.Err() != nil {
		return auth.EmptyCredential, ctx.Err()
	}
	a.reportSecrets(credential)
	a.lookedUp, a.credential, a.err = true, credential, err
	return credential, nil
}

// reportSecrets reports the secrets of a credential before it is sent.
func (a *account) reportSecrets(c auth.Credential) {
	for _, secret := range []string{c.Password, c.RefreshToken, c.AccessToken} {
		if secret != "" {
			a.onSecret(c.Username, secret)
		}
	}
}

// lookUpError returns the error that kept lookUp from finding a credential.
func (a *account) lookUpError() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

// isUnauthorized reports whether a request was refused for lack of a credential.
func isUnauthorized(err error) bool {
	s := Status(err)
	return s == http.StatusUnauthorized || s == http.StatusForbidden ||
		errors.Is(err, auth.ErrBasicCredentialNotFound)
}

// blockedRealms returns the addresses that a token service must not have: those of
// oras-go, but a registry on this machine may have its token service on this machine,
// even under another name.
func blockedRealms(base *url.URL) []netip.Prefix {
	if !loopback.Is(base.Hostname()) {
		return nil
	}
	var blocked []netip.Prefix
	for _, p := range auth.DefaultBlockedRealmPrefixes() {
		if !p.Addr().IsLoopback() {
			blocked = append(blocked, p)
		}
	}
	return blocked
}
