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
	// maxTries of one request, with pauses of 1, 2, 4, 8 and 16 seconds less up to
	// a half: a registry that restarts is back in half a minute.
	maxTries   = 6
	backoff    = time.Second
	maxBackoff = 30 * time.Second
	// A registry that has never answered is more likely misspelt than ill.
	maxSilentTries = 4
	silentTimeout  = 5 * time.Second
	firstBackoff   = 500 * time.Millisecond
)

// RetryOptions are the clock of a run. The zero value is the real one; a test
// gives another, whose Sleep must move what Now returns.
type RetryOptions struct {
	Now    func() time.Time
	Sleep  func(ctx context.Context, d time.Duration) error
	Jitter func() float64 // in [0,1)
	// OnRetry hears that a registry is to be asked once more and why, in a word or two
	// ("503"), before the pause. What it returns is called after that. It may be
	// called from many goroutines at once; it may be nil.
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

// retrier sends a request until it has an answer that will not change.
type retrier struct {
	next   http.RoundTripper
	base   *url.URL // of the registry
	health *health
	stats  *stats
	guests *guests // nil: no request is sent on
}

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
		if isNoRetry(req) && !isRateLimited(resp) {
			return resp, err
		}
		if ctx.Err() != nil || !retryable(resp, err) {
			if err != nil && ctx.Err() == nil {
				if unreachable(err) && sameOrigin(req.URL, t.base) {
					return nil, t.health.markUnreachable(schemeMismatch(err))
				}
				t.health.recordFailure(requestName(req), err)
			}
			return resp, err
		}
		wait, again := t.health.delay(try, since)
		if !again {
			t.health.recordFailure(requestName(req), tryError(resp, err))
			return resp, err
		}
		if !canRewind(req) {
			return resp, err // the blob that it brings is sent again, or given up, by who sends it
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

type noRetryKey struct{}

// withoutRetry marks requests that something else can take the place of: they are sent
// once, and say nothing of the health of the registry. What a registry asks for as a
// pause is waited out all the same.
func withoutRetry(ctx context.Context) context.Context {
	return context.WithValue(ctx, noRetryKey{}, true)
}

// isNoRetry leaves out the requests for a token that such a request brings about.
func isNoRetry(req *http.Request) bool {
	return req.Context().Value(noRetryKey{}) != nil && kind(req) != "token"
}

func isRateLimited(resp *http.Response) bool {
	return resp != nil && resp.StatusCode == http.StatusTooManyRequests
}

// requestName returns the name by which a request is told from others.
func requestName(req *http.Request) string { return req.Method + " " + req.URL.Host + req.URL.Path }

// tryError is the error that stands for a try without success.
func tryError(resp *http.Response, err error) error {
	if err != nil {
		return err
	}
	return &statusError{resp.StatusCode}
}

// shortReason says in a word or two why a request is tried again.
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

// statusError is an answer that may be another one in a while.
type statusError struct{ code int }

func (e *statusError) Error() string {
	return fmt.Sprintf("%d %s", e.code, strings.ToLower(http.StatusText(e.code)))
}

// retryable reports whether the same request may end better in a while.
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

// permanent reports whether err will be the same next time. Everything that it
// does not know is taken for a passing fault of the network: most errors of
// net/http (a connection lost, GOAWAY, an HTTP/2 stream reset) have no type. The
// caller looks at its context itself: a timed-out dial is DeadlineExceeded, too.
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

// unreachable reports whether err is about the name of a host, its certificate or ours, or
// the proxy before it: it holds for all that is asked of that host.
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

// schemeMismatch says of a server that answers a TLS handshake in HTTP what it does:
// net/http, which would, does not look into the error that its transport returns.
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

// rewind returns req with its body at the start again.
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

// drain ends a response that is not read, so that its connection can be used
// again, and its place is given back.
func drain(resp *http.Response) {
	io.CopyN(io.Discard, resp.Body, maxErrorBody)
	resp.Body.Close()
}
