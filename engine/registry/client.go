// Package registry is the one place that talks HTTP. A Client lives as long as
// a run and keeps, for each registry, one pool of connections, one set of
// tokens, one limit and one memory of how the registry behaves.
//
// A request passes, from the outside in: authentication (oras-go's), redirects
// (net/http's), retries, the limit, the transport. Nobody waits for a back-off
// or for a rate while holding a place in a limit.
package registry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote/auth"
)

// defaultConcurrency is what one process may ask of the network at once.
const defaultConcurrency = 16

// defaultMaxManifest is four times what registries take (distribution and
// Docker Hub refuse a manifest over 4 MiB).
const defaultMaxManifest = 16 << 20

// defaultUserAgent is sent where Options name none.
const defaultUserAgent = "oras-mirror"

// Settings say how one registry is reached. The zero value is an ordinary
// registry: https, the system's certificates, the stored credentials.
type Settings struct {
	PlainHTTP         *bool // nil: true for loopback names, as in oras
	Insecure          bool  // certificates are not checked
	CAFile            string
	CertFile          string
	KeyFile           string
	Concurrency       int              // requests in flight to this registry; 0: only the limit over all
	RequestsPerSecond float64          // 0: no limit
	DistributionSpec  string           // "v1.1-referrers-api", "v1.1-referrers-tag" or "" (ask)
	Credential        *auth.Credential // nil: what the stores have
	Header            http.Header      // sent to this registry and to no other host
	// Resolve maps host:port to the address that is dialled instead of it; an
	// address without a port keeps the port.
	Resolve map[string]string
}

// Options say how a run talks to registries. The zero value works.
type Options struct {
	Concurrency int                                 // requests in flight over all registries; 0: 16
	Settings    func(host string) (Settings, error) // nil: the zero Settings for all
	// CredentialFiles are docker config files that are read instead of the
	// usual ones (--registry-config).
	CredentialFiles []string
	UserAgent       string
	// Debug hears one line a request and never a secret; it may be nil. It may be
	// called from many goroutines at once.
	Debug func(format string, a ...any)
	// Secret hears of each credential that the stores give, before it is sent, so
	// that it can be kept out of what is said. It may be called from many
	// goroutines at once.
	Secret func(username, secret string)
	// Dial connects instead of the network; nil: nothing does. It may be called from
	// many goroutines at once.
	Dial         func(ctx context.Context, network, address string) (net.Conn, error)
	StallTimeout time.Duration // of a body that brings less than 4 KiB in this time; 0: 60 s
	MaxManifest  int64         // bytes; 0: 16 MiB
	Retry        RetryOptions
}

// Client talks to any number of registries for the length of a run. It is safe
// for concurrent use.
type Client struct {
	options Options
	slots   slots // over all registries
	stores  stores
	stats   stats
	listed  atomic.Int64 // bytes of the names in the lists that are read now

	mu           sync.Mutex // guards the maps
	hosts        map[string]*host
	repositories map[string]*Repository
}

// New makes the client of a run.
func New(o Options) *Client {
	if o.Concurrency <= 0 {
		o.Concurrency = defaultConcurrency
	}
	if o.UserAgent == "" {
		o.UserAgent = defaultUserAgent
	}
	if o.StallTimeout <= 0 {
		o.StallTimeout = defaultStall
	}
	if o.MaxManifest <= 0 {
		o.MaxManifest = defaultMaxManifest
	}
	if o.Settings == nil {
		o.Settings = func(string) (Settings, error) { return Settings{}, nil }
	}
	if o.Secret == nil {
		o.Secret = func(string, string) {}
	}
	o.Retry = o.Retry.withDefaults()
	return &Client{
		options:      o,
		slots:        newSlots(o.Concurrency),
		stores:       stores{files: o.CredentialFiles},
		hosts:        make(map[string]*host),
		repositories: make(map[string]*Repository),
	}
}

// Repository returns the one object that stands for a repository in this run,
// so that what is learnt about it is learnt once. What is wrong with the
// registry's settings (a CA file that cannot be read) is said here.
func (c *Client) Repository(registryName, repository string) (*Repository, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := registryName + "/" + repository
	if r, ok := c.repositories[name]; ok {
		return r, nil
	}
	ref := registry.Reference{Registry: registryName, Repository: repository}
	if err := ref.Validate(); err != nil {
		return nil, &Error{Op: "configure", Reference: name, Err: err}
	}
	h, err := c.host(ref)
	if err != nil {
		return nil, &SettingsError{registryName, err}
	}
	r := newRepository(h, ref)
	c.repositories[name] = r
	return r, nil
}

// Check returns what is wrong with the settings of registries, before one of them is
// asked: a certificate that cannot be read, for instance. What is said of one of them is
// not said again of the next.
func (c *Client) Check(registries []string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	said := make(map[string]bool)
	for _, name := range registries {
		_, err := c.host(registry.Reference{Registry: name})
		if err != nil && !said[err.Error()] {
			said[err.Error()] = true
			errs = append(errs, &SettingsError{name, err})
		}
	}
	return errors.Join(errs...)
}

// Stats returns how many requests were sent, by method and kind ("GET blob",
// "HEAD manifest", "GET token"), and under "retries" how many of them were
// sent again.
func (c *Client) Stats() map[string]int {
	return c.stats.counts()
}

// host returns what the client keeps of one registry; c.mu is held.
func (c *Client) host(ref registry.Reference) (*host, error) {
	if h, ok := c.hosts[ref.Registry]; ok {
		return h, nil
	}
	s, err := c.options.Settings(ref.Registry)
	if err != nil {
		return nil, err
	}
	if err := c.stores.load(); err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	h, err := newHost(c, ref, s)
	if err != nil {
		return nil, err
	}
	c.hosts[ref.Registry] = h
	return h, nil
}
