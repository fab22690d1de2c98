package transport

import (
	"net/http"
	"net/url"
	"time"
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
	for n := 1; ; n++ {
		resp, err := t.next.RoundTrip(req)
		end := try{number: n, since: since, resp: resp, err: err}
		wait, again, err := t.pauseAfter(req, end)
		if !again {
			return resp, err
		}
		if resp != nil {
			Drain(resp)
		}
		t.stats.add("retries")
		if err := t.health.sleep(ctx, wait, shortReason(end.fault())); err != nil {
			return nil, err
		}
		if req, err = rewind(req); err != nil {
			return nil, err
		}
	}
}

// try is the result of one try of a request.
type try struct {
	number int       // counted from 1
	since  time.Time // the start of the first one
	resp   *http.Response
	err    error
}

// fault returns the error of a try that failed.
func (t try) fault() error {
	if t.err != nil {
		return t.err
	}
	return &statusError{t.resp.StatusCode}
}

// pauseAfter returns the pause after a try, and whether there is another one. If not it returns
// the error of the request, and records it.
func (t *retrier) pauseAfter(req *http.Request, end try) (wait time.Duration, again bool, err error) {
	brief, limited := isBrief(req.Context()), isRateLimited(end.resp)
	if isNoRetry(req) && !limited || brief && limited {
		return 0, false, end.err
	}
	if req.Context().Err() != nil || !retryable(end.resp, end.err) {
		return 0, false, t.recordPermanent(req, end.err)
	}
	wait, again = t.health.delay(end.number, end.since)
	switch {
	case brief && (!again || end.number >= maxBriefTries || isTimeout(end.err)):
		return 0, false, end.err
	case !again:
		t.health.recordFailure(requestName(req), end.fault())
		return 0, false, end.err
	}
	return wait, canRewind(req), end.err // if not, the caller sends its blob again, or gives up
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
