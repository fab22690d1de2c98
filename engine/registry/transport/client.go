package transport

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// Client sends the requests of one repository of a host. It is safe for concurrent use.
type Client struct {
	host     *Host
	account  *account
	ref      registry.Reference // without tag or digest
	withPush atomic.Bool        // tokens include the right to push
}

// ExpectPush announces a push to the repository. Tokens then include that right from the
// first HEAD on, so that one serves all requests.
func (c *Client) ExpectPush() { c.withPush.Store(true) }

// Request creates a request whose token is for the repository.
func (c *Client) Request(ctx context.Context, method string, u *url.URL, body io.Reader) (*http.Request, error) {
	actions := []string{auth.ActionPull}
	if c.withPush.Load() {
		actions = append(actions, auth.ActionPush)
	}
	ctx = withChallenge(c.account.tokens.withShownToken(ctx))
	if c.ref.Repository == "" {
		ctx = auth.AppendScopesForHost(ctx, c.ref.Host(), auth.ScopeRegistryCatalog)
	} else {
		ctx = auth.AppendRepositoryScope(ctx, c.ref, actions...)
	}
	return http.NewRequestWithContext(ctx, method, u.String(), body)
}

// Send authenticates a request and sends it. It returns an error for any other status. The body
// of the response holds a slot of the limits until it is closed.
func (c *Client) Send(req *http.Request, statuses ...int) (*http.Response, error) {
	resp, err := c.do(req)
	if err != nil {
		return nil, err
	}
	if err := expect(resp, statuses...); err != nil {
		return nil, c.explain(err)
	}
	return resp, nil
}

// do is Send for any status.
func (c *Client) do(req *http.Request) (*http.Response, error) {
	tokens := c.account.tokens
	for renewals := 0; ; renewals++ {
		resp, err := c.account.client.Do(req)
		again, err := c.account.observe(req.Context(), resp, err)
		if err != nil {
			return nil, c.explain(challengeError(req.Context(), hideQuery(err)))
		}
		if resp.StatusCode != http.StatusUnauthorized {
			tokens.accepted(req.Context())
			return resp, nil
		}
		again = again || renewals < maxRenewals && tokens.mayHaveExpired(req.Context())
		if !again || !canRewind(req) {
			return resp, nil
		}
		Drain(resp)
		if req, err = rewind(req); err != nil {
			return nil, err
		}
	}
}

// Get sends a request without a body. It returns an error for any other status.
func (c *Client) Get(ctx context.Context, method string, u *url.URL, accept []string, statuses ...int) (*http.Response, error) {
	req, err := c.Request(ctx, method, u, nil)
	if err != nil {
		return nil, err
	}
	if len(accept) > 0 {
		req.Header.Set("Accept", strings.Join(accept, ", "))
	}
	return c.Send(req, statuses...)
}

// Read fetches a whole document of at most limit bytes and closes its response. It retries one
// that breaks off.
func (c *Client) Read(ctx context.Context, u *url.URL, accept []string, limit int64) (*http.Response, []byte, error) {
	var data []byte
	resp, err := c.Stream(ctx, u, accept, limit, func(_ *http.Response, body io.Reader) (err error) {
		data, err = readAll(ctx, body)
		return err
	})
	return resp, data, err
}

// Stream fetches a document of at most limit bytes, passes it to decode as it arrives, and
// closes its response. It retries one that breaks off, and calls decode again from the
// start.
func (c *Client) Stream(ctx context.Context, u *url.URL, accept []string, limit int64, decode func(resp *http.Response, body io.Reader) error) (*http.Response, error) {
	since := c.host.options.Retry.Now()
	for try := 1; ; try++ {
		resp, err := c.Get(ctx, http.MethodGet, u, accept, http.StatusOK)
		if err != nil {
			return nil, err
		}
		body := &limitedBody{Reader: resp.Body, limit: limit, left: limit}
		if resp.ContentLength > limit {
			err = fmt.Errorf("%w: %d bytes, the maximum is %d", errdef.ErrSizeExceedsLimit, resp.ContentLength, limit)
		} else {
			err = decode(resp, body)
		}
		resp.Body.Close()
		if err == nil || body.broken == nil || ctx.Err() != nil {
			return resp, err
		}
		bounds.Leave(ctx) // the next request may wait for others
		if err := c.host.health.wait(ctx, try, since, body.broken); err != nil {
			return nil, err
		}
	}
}

// explain adds to an unauthorized error the reason why there was no credential.
func (c *Client) explain(err error) error {
	if trouble := c.account.lookUpError(); trouble != nil && isUnauthorized(err) {
		return fmt.Errorf("%w (%w)", err, &CredentialError{Registry: c.host.name, Err: trouble})
	}
	return err
}
