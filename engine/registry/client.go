// Package registry is a client for OCI registries (the distribution spec). It resolves,
// fetches and pushes manifests and blobs, lists tags, referrers and repositories, and
// mounts blobs. A [Client] keeps the state of each registry; package transport sends the requests.
package registry

import (
	"errors"
	"sync"
	"sync/atomic"

	"oras.land/oras-go/v2/registry"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

// Client talks to any number of registries. It is safe for concurrent use.
type Client struct {
	options   Options
	transport *transport.Transport
	listed    atomic.Int64 // bytes of the names in all lists that are being read

	mu           sync.Mutex // guards the maps
	hosts        map[string]*host
	repositories map[string]*Repository
}

// New returns a client.
func New(o Options) *Client {
	if o.MaxManifest <= 0 {
		o.MaxManifest = defaultMaxManifest
	}
	if o.Settings == nil {
		o.Settings = func(string) (Settings, error) { return Settings{}, nil }
	}
	return &Client{
		options:      o,
		transport:    transport.New(o.Transport),
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
func (c *Client) Stats() map[string]int { return c.transport.Stats() }

// Requests returns the number of requests that were sent to each registry, with those for
// its tokens and to the places it redirects to.
func (c *Client) Requests() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	sent := make(map[string]int, len(c.hosts))
	for _, h := range c.hosts {
		if n := h.Requests(); n > 0 {
			sent[h.Name()] += n
		}
	}
	return sent
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
	h, err := newHost(c, ref.Registry, baseURL(ref, s), s)
	if err != nil {
		return nil, err
	}
	c.hosts[ref.Registry] = h
	return h, nil
}
