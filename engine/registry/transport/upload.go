package transport

import (
	"context"
	"io"
	"net/http"
	"net/url"
)

// Authorization is the header that authenticated a request. A request with a body that cannot be
// sent twice takes it over: it must not need a 401 to get its token.
type Authorization struct {
	header string
	token  string // the account's name for the token in it
}

// AuthorizationOf returns the authorization of the request that a response is for.
func AuthorizationOf(resp *http.Response) Authorization {
	return Authorization{resp.Request.Header.Get("Authorization"), shownTokenName(resp.Request.Context())}
}

// Upload is a request whose body can be sent once.
type Upload struct {
	Method        string
	URL           *url.URL
	Authorization Authorization // of a request to the same host; may be empty
	Header        http.Header   // besides the Content-Type
	Body          io.ReadCloser // a file is sent with sendfile
	Size          int64         // of the body
}

// Upload sends a body. It bypasses auth.Client, which would try to send a body again that cannot
// be. It returns the response, closed, or an error for any other status. When it returns the
// body is closed and no longer read.
func (c *Client) Upload(ctx context.Context, u Upload, statuses ...int) (*http.Response, error) {
	body, released := sendable(u.Body)
	defer released()
	req, err := c.Request(withLane(ctx, upload), u.Method, u.URL, nil)
	if err != nil {
		body.Close()
		return nil, err
	}
	for key, values := range u.Header {
		req.Header[key] = values
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	if u.Authorization.header != "" {
		req.Header.Set("Authorization", u.Authorization.header)
		expectToken(req.Context(), u.Authorization.token)
	}
	if u.Size == 0 {
		body.Close()
		body = http.NoBody
	}
	req.Body, req.ContentLength = body, u.Size
	resp, err := c.host.http.Do(req)
	if err != nil {
		return nil, hideQuery(err)
	}
	old := wasOld(resp.Request.Context())
	if err := expect(resp, statuses...); err != nil {
		if err = c.explain(err); old && Status(err) == http.StatusUnauthorized {
			err = &expiredError{err}
		}
		return nil, err
	}
	resp.Body.Close()
	return resp, nil
}

// expiredError is a 401 for a token that may have expired.
type expiredError struct{ err error }

func (e *expiredError) Error() string { return e.err.Error() }
func (e *expiredError) Unwrap() error { return e.err }

// IsExpired reports whether an upload was refused with a token that may have expired while it
// waited to be sent.
func IsExpired(err error) bool { return isType[*expiredError](err) }
