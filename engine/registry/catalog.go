package registry

import (
	"context"

	"oras.land/oras-go/v2/registry"
)

// Catalog calls yield with all repositories of a registry, each once, page by page in
// the registry's order (distribution's API; the OCI spec has none). Public registries
// refuse it.
func (c *Client) Catalog(ctx context.Context, registryName string, yield func(repositories []string) error) error {
	r, err := c.wholeRegistry(registryName)
	if err != nil {
		return &Error{Op: "configure", Reference: registryName, Err: err}
	}
	return r.list(ctx, listing{
		op: "list repositories", of: registryName, url: r.host.base.JoinPath("v2", "_catalog"), key: "repositories",
	}, yield)
}

// wholeRegistry returns a repository that stands for the whole registry: its requests
// need the catalog's token.
func (c *Client) wholeRegistry(registryName string) (*Repository, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ref := registry.Reference{Registry: registryName}
	h, err := c.host(ref)
	if err != nil {
		return nil, err
	}
	return newRepository(h, ref), nil
}
