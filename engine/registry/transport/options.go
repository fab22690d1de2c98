package transport

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/oras-mirror/oras-mirror/internal/loopback"
)

// defaultConcurrency bounds the requests of one process that are in flight at once.
const defaultConcurrency = 16

// defaultStall is the StallTimeout if Options has none.
const defaultStall = 60 * time.Second

// defaultUserAgent is the User-Agent if Options has none.
const defaultUserAgent = "oras-mirror"

// Settings describes how one host is reached. The zero value works for an ordinary registry:
// https, the system's certificates, the stored credentials.
type Settings struct {
	PlainHTTP         *bool // nil: true for loopback names, as in oras
	Insecure          bool  // certificates are not verified
	CAFile            string
	CertFile          string
	KeyFile           string
	Concurrency       int              // requests in flight to this registry; 0: only the limit over all registries
	RequestsPerSecond float64          // 0: no limit
	Credential        *auth.Credential // nil: the stored one
	CredentialFiles   []string         // read for this registry instead of those of Options
	Header            http.Header      // sent only to this registry
	// Resolve maps host:port to the address to dial instead; an address without a
	// port keeps the port.
	Resolve map[string]string
}

// Options configures a Transport. The zero value works.
type Options struct {
	Concurrency int // requests in flight over all hosts; 0: 16
	// CredentialFiles are docker config files to read instead of the default ones
	// (--registry-config).
	CredentialFiles []string
	UserAgent       string
	// Debug is called with one line for each request, never with a secret. It may be
	// nil. Calls may be concurrent.
	Debug func(format string, a ...any)
	// Secret is called with each credential of the stores before it is sent, so that
	// the caller can keep it out of its output. Calls may be concurrent.
	Secret func(username, secret string)
	// Dial makes connections; nil: net.Dialer does. Calls may be concurrent.
	Dial         func(ctx context.Context, network, address string) (net.Conn, error)
	StallTimeout time.Duration // for a body to deliver 4 KiB; 0: 60 s
	Retry        RetryOptions
}

func (o Options) withDefaults() Options {
	if o.Concurrency <= 0 {
		o.Concurrency = defaultConcurrency
	}
	if o.UserAgent == "" {
		o.UserAgent = defaultUserAgent
	}
	if o.StallTimeout <= 0 {
		o.StallTimeout = defaultStall
	}
	if o.Secret == nil {
		o.Secret = func(string, string) {}
	}
	o.Retry = o.Retry.withDefaults()
	return o
}

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

// sleep is the default Sleep of RetryOptions.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Scheme returns the scheme of requests to a host.
func (s Settings) Scheme(hostname string) string {
	plain := loopback.Is(hostname)
	if s.PlainHTTP != nil {
		plain = *s.PlainHTTP
	}
	if plain {
		return "http"
	}
	return "https"
}
