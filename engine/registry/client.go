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
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"oras.land/oras-go/v2/registry"

	"github.com/oras-mirror/oras-mirror/engine/registry/credentials"
)

// Client talks to any number of registries. It is safe for concurrent use.
type Client struct {
	shared
	listed atomic.Int64 // bytes of the names in all lists that are being read

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
		shared:       shared{options: o, slots: newSlots(o.Concurrency), stores: credentials.Stores{Files: o.CredentialFiles}},
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

// Requests returns the number of requests that were sent to each registry, with those for
// its tokens and to the places it redirects to.
func (c *Client) Requests() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	sent := make(map[string]int, len(c.hosts))
	for name, h := range c.hosts {
		if n := int(h.sent.Load()); n > 0 {
			sent[name] = n
		}
	}
	return sent
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
