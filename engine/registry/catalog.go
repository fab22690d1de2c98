package registry

import (
	"context"
	"strings"

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
	if s := r.host.settings; s.MirrorsOnly && len(s.Mirrors) > 0 {
		return c.mirrorCatalog(ctx, r, yield)
	}
	return r.catalog(ctx, yield)
}

func (r *Repository) catalog(ctx context.Context, yield func(repositories []string) error) error {
	return r.list(ctx, listing{
		op: "list repositories", of: r.host.Name(), url: r.host.Base().JoinPath("v2", "_catalog"), key: "repositories",
	}, yield)
}

// mirrorCatalog is Catalog for a registry that is never asked itself: of the first mirror that
// has a catalog, it takes the repositories under the prefix.
func (c *Client) mirrorCatalog(ctx context.Context, own *Repository, yield func(repositories []string) error) error {
	e := &Endpoints{own: own, mirrors: own.host.settings.Mirrors, notice: func(string) {}}
	for _, m := range e.mirrors {
		r, err := c.wholeRegistry(m.Registry)
		if err != nil {
			return &Error{Op: "configure", Reference: m.Registry, Err: err}
		}
		e.all = append(e.all, r)
	}
	var found [][]string
	at, err := e.ask(ctx, 0, func(ctx context.Context, r *Repository) error {
		found = nil
		return r.catalog(ctx, func(page []string) error {
			found = append(found, page)
			return nil
		})
	})
	if failed, is := err.(*MirrorError); is {
		return &Error{Op: "list repositories", Reference: own.host.Name(), Err: failed}
	}
	if err != nil {
		return err
	}
	for _, page := range found {
		if names := under(e.mirrors[at].Prefix, page); len(names) > 0 {
			if err := yield(names); err != nil {
				return err
			}
		}
	}
	return nil
}

// under returns the names under a prefix, without it.
func under(prefix string, names []string) []string {
	if prefix == "" {
		return names
	}
	var short []string
	for _, name := range names {
		if rest, is := strings.CutPrefix(name, prefix+"/"); is {
			short = append(short, rest)
		}
	}
	return short
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
