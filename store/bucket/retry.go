package bucket

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/minio/minio-go/v7"
)

const (
	// maxTries bounds the tries of one request, with pauses of 1, 2, 4, 8 and 16 seconds less
	// up to a half, like those of a registry.
	maxTries = 6
	backoff  = time.Second
)

// minio-go pauses for up to 200 ms after each try, also after the last one, on the real clock.
func init() { minio.DefaultRetryUnit = 0 }

// Retry configures the pauses between tries. The zero value uses the real clock.
type Retry struct {
	Tries  int // of one request; 0 means 6
	Sleep  func(ctx context.Context, d time.Duration) error
	Jitter func() float64 // in [0,1)
	// OnRetry is called before the pause of a retry, with a short reason ("503"). The function
	// that it returns is called after the pause. It may be nil. Calls may be concurrent.
	OnRetry func(host, reason string) (over func())
}

func (r Retry) withDefaults() Retry {
	if r.Tries == 0 {
		r.Tries = maxTries
	}
	if r.Sleep == nil {
		r.Sleep = sleep
	}
	if r.Jitter == nil {
		r.Jitter = rand.Float64
	}
	if r.OnRetry == nil {
		r.OnRetry = func(string, string) func() { return func() {} }
	}
	return r
}

// sleep waits for d, or until ctx is over, and then returns its cause.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// maxRenewals bounds the credentials that one request is sent with.
const maxRenewals = 3

// try calls do until it succeeds or its error is final. When credentials are refused, they
// are read again, since another program may have renewed them. With other ones the request
// is sent again at once, which does not count as a try.
func (c *Client) try(ctx context.Context, op, key string, do func(context.Context) error) error {
	for n, renewed := 1, 0; ; {
		used := c.keys.current()
		err := newError(op, c.name(key), do(ctx))
		if err == nil {
			return nil
		}
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if renewed < maxRenewals && isOfKeys(err) && c.keys.renew(used) {
			renewed++
			continue
		}
		if n >= c.retry.Tries || !retryable(ctx, err) {
			if e, ok := errors.AsType[*Error](err); ok {
				e.Anonymous = c.keys.isEmpty()
			}
			return err
		}
		if err := c.pause(ctx, n, shortReason(err)); err != nil {
			return err
		}
		n++
	}
}

// Wait waits for d on the clock of the client, or until ctx is over, and then returns its
// cause.
func (c *Client) Wait(ctx context.Context, d time.Duration) error { return c.retry.Sleep(ctx, d) }

// pause waits before the try that follows the n-th.
func (c *Client) pause(ctx context.Context, n int, reason string) error {
	wait := time.Duration((0.5 + 0.5*c.retry.Jitter()) * float64(backoff<<(n-1)))
	defer c.retry.OnRetry(c.host, reason)()
	return c.retry.Sleep(ctx, wait)
}

// shortReason returns the reason of a retry in a word or two.
func shortReason(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.Status != 0 {
		return strconv.Itoa(e.Status)
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return "timed out"
	}
	return "connection lost"
}

// permanent reports whether an error of a connection stays the same on a retry.
func permanent(err error) bool {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns.IsNotFound
	}
	return is[*tls.CertificateVerificationError](err) || is[tls.RecordHeaderError](err) ||
		is[x509.UnknownAuthorityError](err) || is[x509.HostnameError](err) ||
		is[x509.CertificateInvalidError](err) || is[*net.AddrError](err) ||
		errors.Is(err, http.ErrSchemeMismatch) ||
		errors.Is(err, errEndlessList) || errors.Is(err, errAnswer)
}

func is[E error](err error) bool {
	_, is := errors.AsType[E](err)
	return is
}
