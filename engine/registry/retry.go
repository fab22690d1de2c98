package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// maxTries bounds the tries of one request, with pauses of 1, 2, 4, 8 and 16 seconds less
	// up to a half: a registry that restarts is back in half a minute.
	maxTries   = 6
	backoff    = time.Second
	maxBackoff = 30 * time.Second
	// A registry that has never responded is more likely misspelt than down.
	maxSilentTries = 4
	silentTimeout  = 5 * time.Second
	firstBackoff   = 500 * time.Millisecond
)

// RetryOptions configures retries and their clock. The zero value uses the real clock. In a
// test, Sleep must advance the time that Now returns.
type RetryOptions struct {
	Now    func() time.Time
	Sleep  func(ctx context.Context, d time.Duration) error
	Jitter func() float64 // in [0,1)
	// OnRetry is called before the pause of a retry, with a short reason ("503"). The function
	// that it returns is called after the pause. It may be nil. Calls may be concurrent.
	OnRetry func(registry, reason string) (over func())
}

func (o RetryOptions) withDefaults() RetryOptions {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	if o.OnRetry == nil {
		o.OnRetry = func(string, string) func() { return func() {} }
	}
	return o
}

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
			drain(resp)
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
	if unreachable(err) && sameOrigin(req.URL, t.base) {
		return t.health.markUnreachable(schemeMismatch(err))
	}
	if isBrief(req.Context()) {
		return err
	}
	t.health.recordFailure(requestName(req), err)
	return err
}

type noRetryKey struct{}

// withoutRetry marks requests that have an alternative: they are sent once, and do not count
// for the health of the registry. They still wait for the pauses that a registry asks for.
func withoutRetry(ctx context.Context) context.Context {
	return context.WithValue(ctx, noRetryKey{}, true)
}

// isNoRetry reports whether a request is not retried. A request for a token always is.
func isNoRetry(req *http.Request) bool {
	return req.Context().Value(noRetryKey{}) != nil && kind(req) != "token"
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

// shortReason returns the reason of a retry in a word or two.
func shortReason(err error) string {
	var (
		status  *statusError
		errno   syscall.Errno
		timeout net.Error
	)
	switch {
	case errors.As(err, &status):
		return strconv.Itoa(status.code)
	case Status(err) != 0:
		return strconv.Itoa(Status(err))
	case errors.As(err, &errno):
		return errno.Error()
	case errors.Is(err, ErrStalled):
		return "stalled"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timed out"
	}
	return "connection lost"
}

// statusError is a status that may change later.
type statusError struct{ code int }

func (e *statusError) Error() string {
	return fmt.Sprintf("%d %s", e.code, strings.ToLower(http.StatusText(e.code)))
}

// retryable reports whether the same request may succeed later.
func retryable(resp *http.Response, err error) bool {
	if err != nil {
		return !permanent(err)
	}
	return retryableStatus(resp.StatusCode)
}

func retryableStatus(code int) bool {
	switch code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
		http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable,
		http.StatusGatewayTimeout:
		return true
	}
	return false
}

// permanent reports whether err stays the same on a retry. All errors that it does not know
// count as transient errors of the network: most errors of net/http (a lost connection,
// GOAWAY, a reset HTTP/2 stream) have no type. The caller checks its context itself: a
// timed-out dial is a DeadlineExceeded, too.
func permanent(err error) bool {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.IsNotFound
	}
	return unreachable(err) ||
		isType[*DownError](err) || isType[sourceError](err) || isType[*RateLimitError](err) ||
		isType[*net.AddrError](err) || isType[net.InvalidAddrError](err) ||
		errors.Is(err, ErrDowngrade) || errors.Is(err, errLocation)
}

// unreachable reports whether err is about a host name, a certificate or a proxy: it then
// applies to all requests to that host.
func unreachable(err error) bool {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.IsNotFound
	}
	var proxy *ProxyError
	if errors.As(err, &proxy) {
		return !retryableStatus(proxy.Status)
	}
	if alert, refused := AlertOf(err); refused {
		return isPermanentAlert(alert)
	}
	return isType[*tls.CertificateVerificationError](err) || isType[tls.RecordHeaderError](err) ||
		isType[x509.UnknownAuthorityError](err) ||
		isType[x509.HostnameError](err) || isType[x509.CertificateInvalidError](err) ||
		errors.Is(err, http.ErrSchemeMismatch)
}

// schemeMismatch returns http.ErrSchemeMismatch for a server that answers a TLS handshake in
// HTTP: net/http does that only for errors that its transport does not wrap.
func schemeMismatch(err error) error {
	var header tls.RecordHeaderError
	if errors.As(err, &header) && string(header.RecordHeader[:]) == "HTTP/" {
		return http.ErrSchemeMismatch
	}
	return err
}

func isType[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

func canRewind(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

// rewind returns req with its body at the start.
func rewind(req *http.Request) (*http.Request, error) {
	if req.GetBody == nil {
		return req, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	again := req.WithContext(req.Context())
	again.Body = body
	return again, nil
}

// drain discards a response, so that its connection can be reused and its slot is released.
func drain(resp *http.Response) {
	io.CopyN(io.Discard, resp.Body, maxErrorBody)
	resp.Body.Close()
}
