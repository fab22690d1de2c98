package registry

import (
	"context"
	"errors"
	"net/http"

	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// maxRefusals bounds how often in a row a registry may refuse our credential: the third wrong
// password in a row locks an account in many a company.
const maxRefusals = 2

// login records what an account has learnt of the credential that it shows.
type login struct {
	version  int              // which credential that is: each reading of the stores that brings another starts over
	accepted bool             // the registry, or its token service, has let a request in with it
	refusals int              // in a row, whatever was shown
	refusal  error            // a *LoginError, from when on nothing is shown any more
	denied   map[string]error // tokens that are not given to it, by what the cache calls them
	reloaded bool             // there was none, and the stores were read once more
}

// turn is the permission to show a credential once. Until it is accepted one request at a
// time has it, or all that begin at the same moment would show a wrong password.
type turn struct {
	account   *account
	version   int
	anonymous bool
	holdsGate bool // it holds the gate
}

// turn waits until the credential may be shown. A refused one never may.
func (a *account) turn(ctx context.Context) (*turn, error) {
	credential, err := a.lookUp(ctx)
	if err != nil {
		return nil, err
	}
	t := &turn{account: a, anonymous: credential == auth.EmptyCredential}
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

// end lets the next one show the credential.
func (t *turn) end() {
	if t.holdsGate {
		<-t.account.gate
		t.holdsGate = false
	}
}

// markAccepted notes that the credential of a reading is good.
func (a *account) markAccepted(version int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if version == a.version {
		a.accepted, a.refusals = true, 0
	}
}

// markRefused notes that the credential of a reading was refused, and reads the stores again:
// the secrets of some helpers last for minutes, and a password may be changed while we
// run. It returns nil if there is something to show in the place of what was refused:
// another credential, or once more one that was accepted before.
func (a *account) markRefused(ctx context.Context, version int, answer error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.refusal != nil:
		return a.refusal
	case version != a.version:
		return nil // another request had the stores read
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

// reload reports whether the stores have another credential now; a.mu is held. The
// error is that of ctx.
func (a *account) reload(ctx context.Context) (changed bool, _ error) {
	if a.fixed {
		return false, nil
	}
	credential, err := a.find(ctx, true)
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
		again, err := t.observe(ctx, name, err)
		t.end()
		if !again {
			return token, err
		}
	}
}

func (a *account) denial(name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.denied[name]
}

// observe learns from what a token service answered, and reports whether to ask again. With
// 401 it refuses who we are, with 403, or the 400 of OAuth 2 (RFC 6749, section 5.2),
// perhaps only what we want: then the next repository may have its token.
func (t *turn) observe(ctx context.Context, name string, err error) (again bool, _ error) {
	a, code := t.account, Status(err)
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

// markDenied notes that a token is not given to the credential, and is not to be asked for
// again, unless the stores have another credential by now.
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

// reloadOnce reports whether there is a credential now where there was none. The stores are
// read once more for it, and no more: most users without one need none.
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

// observe learns from the answer to a request that showed a password, which is an err or a
// response, and reports whether to send it again.
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

// basic returns the password in the form in which it is shown to the registry itself, to
// the request of ctx alone as long as it is not accepted. That request may have been turned
// away with it already.
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
