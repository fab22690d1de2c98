// Package registry is a client for OCI registries (the distribution spec). It resolves,
// fetches and pushes manifests and blobs, lists tags, referrers and repositories, and
// mounts blobs. A [Client] keeps, for each registry, one pool of connections, one set of
// tokens, one limit and the state of the registry. It resumes broken downloads, retries
// transient errors, and obeys Retry-After.
//
// A request passes, from the outside in: authentication (oras-go's), redirects
// (net/http's), retries, the limit, the transport. No request waits for a back-off or for
// a rate while it holds a slot of a limit.
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

	"github.com/oras-mirror/oras-mirror/engine/registry/credentials"
)

// defaultConcurrency bounds the requests of one process that are in flight at once.
const defaultConcurrency = 16

// defaultMaxManifest is four times the limit of registries (distribution and Docker Hub
// refuse a manifest over 4 MiB).
const defaultMaxManifest = 16 << 20

// defaultUserAgent is the User-Agent if Options has none.
const defaultUserAgent = "oras-mirror"

// Settings describes how one registry is reached. The zero value works for an ordinary
// registry: https, the system's certificates, the stored credentials.
type Settings struct {
	PlainHTTP         *bool // nil: true for loopback names, as in oras
	Insecure          bool  // certificates are not verified
	CAFile            string
	CertFile          string
	KeyFile           string
	Concurrency       int              // requests in flight to this registry; 0: only the limit over all registries
	RequestsPerSecond float64          // 0: no limit
	DistributionSpec  string           // "v1.1-referrers-api", "v1.1-referrers-tag" or "" (detect)
	Credential        *auth.Credential // nil: the stored one
	CredentialFiles   []string         // read for this registry instead of those of Options
	Header            http.Header      // sent only to this registry
	// Resolve maps host:port to the address to dial instead; an address without a
	// port keeps the port.
	Resolve map[string]string
	// Mirrors are asked for manifests and blobs first, in this order; see [Endpoints].
	Mirrors     []Mirror
	MirrorsOnly bool // the registry itself is never asked
}

// Options configures a Client. The zero value works.
type Options struct {
	Concurrency int                                 // requests in flight over all registries; 0: 16
	Settings    func(host string) (Settings, error) // nil: the zero Settings for all
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
	MaxManifest  int64         // bytes; 0: 16 MiB
	Retry        RetryOptions
}

// Client talks to any number of registries. It is safe for concurrent use.
type Client struct {
	options Options
	slots   slots // over all registries
	stores  credentials.Stores
	stats   stats
	listed  atomic.Int64 // bytes of the names in all lists that are being read

	mu           sync.Mutex // guards the maps
	hosts        map[string]*host
	repositories map[string]*Repository
}

// New returns a client.
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
		stores:       credentials.Stores{Files: o.CredentialFiles},
		hosts:        make(map[string]*host),
		repositories: make(map[string]*Repository),
	}
}

// Repository returns a repository of a registry: always the same object, so that all
// callers share its state. It returns an error if the settings of the registry are
// invalid (a CA file that cannot be read).
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

// Check returns the errors in the settings of registries, such as a certificate that
// cannot be read, without a request. Of registries with the same error it names the
// first.
func (c *Client) Check(registries []string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var errs []error
	seen := make(map[string]bool)
	for _, name := range registries {
		_, err := c.host(registry.Reference{Registry: name})
		if err != nil && !seen[err.Error()] {
			seen[err.Error()] = true
			errs = append(errs, &SettingsError{name, err})
		}
	}
	return errors.Join(errs...)
}

// Stats returns the number of requests by method and kind ("GET blob", "HEAD
// manifest", "GET token"), and under "retries" the number of retries among them.
func (c *Client) Stats() map[string]int {
	return c.stats.counts()
}

// storesOf returns the credential stores for a host with these settings, loaded.
func (c *Client) storesOf(s Settings) (*credentials.Stores, error) {
	from := &c.stores
	if len(s.CredentialFiles) > 0 {
		from = &credentials.Stores{Files: s.CredentialFiles}
	}
	return from, from.Load()
}

// host returns the state of one registry. The caller holds c.mu.
func (c *Client) host(ref registry.Reference) (*host, error) {
	if h, ok := c.hosts[ref.Registry]; ok {
		return h, nil
	}
	s, err := c.options.Settings(ref.Registry)
	if err != nil {
		return nil, err
	}
	from, err := c.storesOf(s)
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	h, err := newHost(c, ref, s, from)
	if err != nil {
		return nil, err
	}
	c.hosts[ref.Registry] = h
	return h, nil
}
