package registry

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"oras.land/oras-go/v2/registry/remote/auth"
)

// account authenticates the requests to one registry with one credential. oras-go's
// token cache does not tell credentials apart, so each account has its own.
type account struct {
	registry string
	client   *auth.Client
	tokens   *tokens                                                         // the client's cache
	find     func(ctx context.Context, reload bool) (auth.Credential, error) // reload: read the files and ask the helpers again
	onSecret func(username, secret string)
	fixed    bool          // the credential is given and never looked up
	gate     chan struct{} // of size 1: held while a credential is tried that is not accepted yet

	mu         sync.Mutex // guards what follows; held while a helper runs
	lookedUp   bool
	credential auth.Credential
	err        error
	login
}

func newAccount(h *host, repository string) *account {
	stores := h.stores
	a := &account{registry: h.name, gate: make(chan struct{}, 1), find: func(ctx context.Context, reload bool) (auth.Credential, error) {
		if reload {
			return stores.Reload(ctx, h.base.Host, repository)
		}
		return stores.Credential(ctx, h.base.Host, repository)
	}}
	a.tokens = newTokens(h.client.options.Retry.Now)
	a.tokens.account = a
	a.onSecret = h.client.options.Secret
	if c := h.settings.Credential; c != nil {
		a.lookedUp, a.fixed, a.credential = true, true, *c
	}
	a.client = &auth.Client{
		Client:               h.http,
		Cache:                a.tokens,
		ClientID:             defaultUserAgent,
		BlockedRealmPrefixes: blockedRealms(h.base),
		Credential: func(ctx context.Context, _ string) (auth.Credential, error) {
			return a.lookUp(ctx)
		},
	}
	return a
}

// lookUp reads the stores once. It keeps an error (a helper that is not installed) for
// later: a public image needs no credential.
func (a *account) lookUp(ctx context.Context) (auth.Credential, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.lookedUp {
		return a.credential, nil
	}
	credential, err := a.find(ctx, false)
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
