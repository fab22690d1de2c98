package transport

import (
	"context"
	"errors"
	"net/http"

	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// maxRefusals bounds how often in a row a credential is refused: in many companies the
// third wrong password in a row locks an account.
const maxRefusals = 2

// login records what happened to the credential of an account.
type login struct {
	version  int              // counts the credentials that the stores have returned; each starts over
	accepted bool             // the registry, or its token service, has accepted it
	refusals int              // in a row, of any version
	refusal  error            // a *LoginError; once set, no credential is sent
	denied   map[string]error // responses that denied a token, by the token's name in the cache
	reloaded bool             // there was no credential, and the stores were reloaded
}

// turn waits until the credential may be sent. It returns an error for a refused one.
func (a *account) turn(ctx context.Context) (*turn, error) {
	credential, err := a.lookUp(ctx)
	if err != nil {
		return nil, err
	}
	t := &turn{gate: a.gate, anonymous: credential == auth.EmptyCredential}
	for {
		a.mu.Lock()
		refusal, accepted := a.refusal, a.accepted
		t.version = a.version
		a.mu.Unlock()
		switch {
		case refusal != nil:
			t.end()
			return nil, refusal
		case t.holdsGate || accepted || t.anonymous:
			return t, nil
		}
		select {
		case a.gate <- struct{}{}:
			t.holdsGate = true
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// markAccepted records that a version of the credential is accepted.
func (a *account) markAccepted(version int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if version == a.version {
		a.accepted, a.refusals = true, 0
	}
}

// markRefused records that a version of the credential was refused, and reloads the stores:
// the secrets of some helpers are valid for minutes, and the user may change a password
// during the run. It returns nil if there is a credential to send instead: another one, or
// the same once more if it was accepted before.
func (a *account) markRefused(ctx context.Context, version int, answer error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.refusal != nil:
		return a.refusal
	case version != a.version:
		return nil // another request has reloaded the stores
	}
	a.refusals++
	changed, err := a.reload(ctx)
	if err != nil {
		return err
	}
	if a.refusals < maxRefusals && (changed || a.accepted) {
		a.version++
		a.accepted = false
		return nil
	}
	a.refusal = &LoginError{Registry: a.registry, Err: answer}
	return a.refusal
}

// reload reports whether the stores have another credential now. The caller holds a.mu. The
// error is that of ctx.
func (a *account) reload(ctx context.Context) (changed bool, _ error) {
	if a.fixed {
		return false, nil
	}
	credential, err := a.stored.reload(ctx)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if a.err = err; err != nil || credential == auth.EmptyCredential || credential == a.credential {
		return false, nil
	}
	a.reportSecrets(credential)
	a.credential, a.denied = credential, nil
	return true, nil
}

// logIn fetches a token from the token service.
func (a *account) logIn(ctx context.Context, name string, fetch func(context.Context) (string, error)) (string, error) {
	for {
		if err := a.denial(name); err != nil {
			return "", err
		}
		t, err := a.turn(ctx)
		if err != nil {
			return "", err
		}
		token, err := fetch(ctx)
		again, err := a.observeToken(ctx, t, name, err)
		t.end()
		if !again {
			return token, err
		}
	}
}

// denial returns the response that denied a token, or nil.
func (a *account) denial(name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.denied[name]
}

// observeToken records the response of a token service, and reports whether to ask again. A 401
// refuses the credential; a 403, or the 400 of OAuth 2 (RFC 6749, section 5.2), may refuse
// only the scope: then the next repository may get its token.
func (a *account) observeToken(ctx context.Context, t *turn, name string, err error) (again bool, _ error) {
	code := Status(err)
	switch {
	case err == nil:
		if !t.anonymous {
			a.markAccepted(t.version)
		}
		return false, nil
	case ctx.Err() != nil:
		return false, err
	case t.anonymous && (code == http.StatusUnauthorized || code == http.StatusForbidden):
		return a.reloadOnce(ctx), err
	case t.anonymous:
		return false, err
	case code == http.StatusUnauthorized:
		refusal := a.markRefused(ctx, t.version, err)
		return refusal == nil, refusal
	case code == http.StatusForbidden || code == http.StatusBadRequest:
		return a.markDenied(ctx, name, t.version, err)
	}
	return false, err
}

// markDenied records that the credential does not get a token, which is not requested
// again, unless the stores have another credential now.
func (a *account) markDenied(ctx context.Context, name string, version int, answer error) (again bool, _ error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if version != a.version {
		return true, nil
	}
	changed, err := a.reload(ctx)
	switch {
	case err != nil:
		return false, err
	case changed:
		a.version++
		a.accepted = false
		return true, nil
	case a.denied == nil:
		a.denied = make(map[string]error)
	}
	a.denied[name] = answer
	return false, answer
}

// reloadOnce reports whether there is a credential now where there was none. It reloads the
// stores only once: most users without a credential need none.
func (a *account) reloadOnce(ctx context.Context) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.credential != auth.EmptyCredential {
		return true // another request found it
	}
	if a.reloaded {
		return false
	}
	a.reloaded = true
	changed, err := a.reload(ctx)
	return changed && err == nil
}

// observe records the response, or the error, of a request that sent a password, and
// reports whether to send it again.
func (a *account) observe(ctx context.Context, resp *http.Response, err error) (again bool, _ error) {
	s, ok := shownIn(ctx)
	if !ok || s.turn == nil {
		return false, err
	}
	t := s.turn
	s.turn = nil
	defer t.end()
	switch {
	case err != nil:
		return false, err
	case resp.StatusCode != http.StatusUnauthorized:
		a.markAccepted(t.version)
		return false, nil
	}
	a.tokens.forget(s.name)
	refusal := a.markRefused(ctx, t.version, responseError(resp))
	return refusal == nil, refusal
}

// basic returns the password in the form of the Authorization header. Until it is accepted
// only the request of ctx may send it. That request may have been refused with it already.
func (a *account) basic(ctx context.Context, name string, fetch func(context.Context) (string, error)) (string, error) {
	s, _ := shownIn(ctx)
	if s != nil && s.name == name && s.value != "" {
		a.tokens.forget(name)
		if err := a.markRefused(ctx, s.version, &errcode.ErrorResponse{StatusCode: http.StatusUnauthorized}); err != nil {
			return "", err
		}
	}
	t, err := a.turn(ctx)
	if err != nil {
		return "", err
	}
	value, err := fetch(ctx)
	if errors.Is(err, auth.ErrBasicCredentialNotFound) && a.reloadOnce(ctx) {
		t.end()
		return a.basic(ctx, name, fetch)
	}
	if err != nil || s == nil {
		t.end()
		return value, err
	}
	s.turn = t
	a.tokens.keepBasic(ctx, name, value, t.version)
	return value, nil
}
