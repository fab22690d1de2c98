package transport

import (
	"net/http"
	"net/url"
)

// retrier retries a request until the response is final.
type retrier struct {
	next   http.RoundTripper
	base   *url.URL // of the registry
	health *health
	stats  *stats
	guests *guests // nil: no request is sent on
}

// RoundTrip sends a request, and retries it until the response is final.
func (t *retrier) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == "" {
		closeBody(req)
		return nil, errNoRealm
	}
	if t.guests.handles(req) {
		return t.guests.RoundTrip(req)
	}
	ctx := req.Context()
	since := t.health.retry.Now()
	for try := 1; ; try++ {
		resp, err := t.next.RoundTrip(req)
		if isNoRetry(req) && !isRateLimited(resp) || isBrief(ctx) && isRateLimited(resp) {
			return resp, err
		}
		if ctx.Err() != nil || !retryable(resp, err) {
			return resp, t.recordPermanent(req, err)
		}
		wait, again := t.health.delay(try, since)
		if isBrief(ctx) && (!again || try >= maxBriefTries || isTimeout(err)) {
			return resp, err
		}
		if !again {
			t.health.recordFailure(requestName(req), tryError(resp, err))
			return resp, err
		}
		if !canRewind(req) {
			return resp, err // the caller sends its blob again, or gives up
		}
		if resp != nil {
			Drain(resp)
		}
		t.stats.add("retries")
		if err := t.health.sleep(ctx, wait, shortReason(tryError(resp, err))); err != nil {
			return nil, err
		}
		if req, err = rewind(req); err != nil {
			return nil, err
		}
	}
}

// recordPermanent records an error that a retry would not change, and returns it. The
// error may be nil.
func (t *retrier) recordPermanent(req *http.Request, err error) error {
	if err == nil || req.Context().Err() != nil {
		return err
	}
	if unreachable(err) && SameOrigin(req.URL, t.base) {
		return t.health.markUnreachable(schemeMismatch(err))
	}
	if isBrief(req.Context()) {
		return err
	}
	t.health.recordFailure(requestName(req), err)
	return err
}

func isRateLimited(resp *http.Response) bool {
	return resp != nil && resp.StatusCode == http.StatusTooManyRequests
}

// requestName returns the name that tells requests apart.
func requestName(req *http.Request) string { return req.Method + " " + req.URL.Host + req.URL.Path }

// tryError returns the error of a try that failed.
func tryError(resp *http.Response, err error) error {
	if err != nil {
		return err
	}
	return &statusError{resp.StatusCode}
}
