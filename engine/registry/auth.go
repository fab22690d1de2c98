package registry

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"oras.land/oras-go/v2/registry/remote/auth"
)

// account signs the requests to one registry with one credential. oras-go's
// token cache does not know whose tokens it keeps, so each has its own.
type account struct {
	client *auth.Client
	tokens *tokens // the client's cache
	find   func(ctx context.Context) (auth.Credential, error)
	secret func(username, secret string)

	mu         sync.Mutex // guards what follows; held while a helper runs
	asked      bool
	credential auth.Credential
	err        error
}

func newAccount(h *host, repository string) *account {
	a := &account{tokens: newTokens(h.client.options.Retry.Now), find: func(ctx context.Context) (auth.Credential, error) {
		return h.client.stores.credential(ctx, h.base.Host, repository)
	}}
	a.secret = h.client.options.Secret
	if c := h.settings.Credential; c != nil {
		a.asked, a.credential = true, *c
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

// lookUp asks the stores once. What goes wrong there (a helper that is not
// installed) is kept for later: a public image needs no credential.
func (a *account) lookUp(ctx context.Context) (auth.Credential, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.asked {
		return a.credential, nil
	}
	credential, err := a.find(ctx)
	if ctx.Err() != nil {
		return auth.EmptyCredential, ctx.Err()
	}
	for _, secret := range []string{credential.Password, credential.RefreshToken, credential.AccessToken} {
		if secret != "" {
			a.secret(credential.Username, secret)
		}
	}
	a.asked, a.credential, a.err = true, credential, err
	return credential, nil
}

// trouble returns why there is no credential, if there should be one.
func (a *account) trouble() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

// refused reports whether err or a response's status says that a request was
// not allowed for want of a credential.
func refused(err error) bool {
	s := Status(err)
	return s == http.StatusUnauthorized || s == http.StatusForbidden ||
		errors.Is(err, auth.ErrBasicCredentialNotFound)
}
