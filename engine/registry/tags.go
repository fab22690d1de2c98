package registry

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"

	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

const (
	// tagPage is the largest page of most registries. Some refuse larger ones.
	tagPage = 1000
	// maxTagPage has room for all tags: some registries do not split the list.
	maxTagPage = 128 << 20
	// maxEmptyPages bounds the pages in a row without a new name. Registries that filter their
	// lists have a few.
	maxEmptyPages = 100
	// maxTags and maxTagBytes bound the memory of one list. The largest known ones have about
	// 100,000 tags of 20 to 60 bytes.
	maxTags     = 500_000
	maxTagBytes = 32 << 20
	// nameMemory is the memory of a name besides its text: its entries in a map and in a list,
	// which grow by doubling.
	nameMemory = 75
	// namesTogether is the number of names in one slice: large slices that grow side by side
	// leave unusable gaps in memory.
	namesTogether = 4096
)

// listing is a paged list of names: where it is, and what it is called.
type listing struct {
	op, of string // the operation and the reference, for errors
	url    *url.URL
	key    string // of the array in a page
}

// Tags calls yield with all tags of the repository, each once, page by page in the registry's
// order. No request is in flight while yield runs. Tags of the referrers tag schema are
// included.
func (r *Repository) Tags(ctx context.Context, yield func(tags []string) error) error {
	return r.list(ctx, r.tagList(), yield)
}

func (r *Repository) tagList() listing {
	return listing{op: "list tags", of: r.Name(), url: r.url("tags", "list"), key: "tags"}
}

// FirstTags returns the first page of the tag list, and whether there are more.
func (r *Repository) FirstTags(ctx context.Context) (tags []string, more bool, err error) {
	l, p := r.tagList(), newPages(&r.host.client.listed)
	defer p.release()
	page, next, err := r.firstPage(ctx, l, p)
	return slices.Concat(page...), next != nil, r.fail(l.op, l.of, err)
}

// list calls yield with the names of a paged list, each once. It returns an error of yield
// unchanged.
func (r *Repository) list(ctx context.Context, l listing, yield func(names []string) error) error {
	p := newPages(&r.host.client.listed)
	defer p.release()
	page, next, err := r.firstPage(ctx, l, p)
	for {
		if err != nil {
			return r.fail(l.op, l.of, err)
		}
		for _, names := range page {
			if err := yield(names); err != nil {
				return err
			}
		}
		if next == nil {
			return nil
		}
		page, next, err = r.listPage(ctx, l, next, p)
	}
}

// firstPage requests a page of our size, or of the registry's default size if it refuses
// ours (distribution's catalog.maxentries).
func (r *Repository) firstPage(ctx context.Context, l listing, p *pages) (page names, next *url.URL, err error) {
	if _, refused := r.host.pageSizeRefused.Load(l.key); refused {
		return r.listPage(ctx, l, l.url, p)
	}
	sized := *l.url
	sized.RawQuery = fmt.Sprintf("n=%d", tagPage)
	page, next, err = r.listPage(ctx, l, &sized, p)
	if s := transport.Status(err); s != http.StatusBadRequest && s != http.StatusUnprocessableEntity {
		return page, next, err
	}
	if page, next, err = r.listPage(ctx, l, l.url, p); err == nil {
		r.host.pageSizeRefused.Store(l.key, true)
	}
	return page, next, err
}

// listPage returns the new names of a page.
func (r *Repository) listPage(ctx context.Context, l listing, u *url.URL, p *pages) (page names, next *url.URL, err error) {
	if err := p.visit(u); err != nil {
		return nil, nil, err
	}
	resp, err := r.http.Stream(ctx, u, []string{"application/json"}, maxTagPage, func(_ *http.Response, body io.Reader) error {
		p.drop(page)
		page = nil
		d := newDocument("a list of "+l.key, body)
		return d.each(l.key, func() error {
			var name *string
			err := d.decode(&name)
			if err == nil && name != nil {
				page, err = p.add(page, *name)
			}
			return err
		})
	})
	if err == nil {
		err = p.count(page)
	}
	if err == nil {
		next, err = transport.NextPage(resp)
	}
	if err != nil {
		return nil, nil, err
	}
	return page, next, nil
}

// names holds the names of a page, in slices of at most namesTogether.
type names [][]string

// with returns the names with one more.
func (n names) with(name string) names {
	if len(n) == 0 || len(n[len(n)-1]) >= namesTogether {
		n = append(n, nil)
	}
	last := &n[len(n)-1]
	*last = append(*last, name)
	return n
}

// pages ends a listing that does not end by itself, or that would fill the memory.
type pages struct {
	visited map[[sha256.Size]byte]bool // URLs
	seen    map[string]struct{}        // names
	bytes   int                        // of the names
	empty   int                        // pages in a row without a new name
	listed  *atomic.Int64              // bytes that all lists being read keep
}

func newPages(listed *atomic.Int64) *pages {
	return &pages{visited: make(map[[sha256.Size]byte]bool), seen: make(map[string]struct{}), listed: listed}
}

// visit records a page before it is requested.
func (p *pages) visit(u *url.URL) error {
	key := sha256.Sum256([]byte(u.String()))
	if p.visited[key] {
		return fmt.Errorf("%w: a page links back to an earlier one", ErrEndlessTags)
	}
	p.visited[key] = true
	return nil
}

// add appends a name to a page if it is new.
func (p *pages) add(page names, name string) (names, error) {
	if _, again := p.seen[name]; again {
		return page, nil
	}
	if len(p.seen) >= maxTags || p.bytes+len(name) > maxTagBytes {
		return page, fmt.Errorf("%w: more than %d names of %d bytes", ErrEndlessTags, len(p.seen), p.bytes)
	}
	if err := p.reserve(name); err != nil {
		return page, err
	}
	p.seen[name] = struct{}{}
	p.bytes += len(name)
	return page.with(name), nil
}

// reserve accounts for the memory of a name. All lists together may use a third of the
// memory of the run.
func (p *pages) reserve(name string) error {
	n := int64(nameMemory + len(name))
	err := bounds.TakeOfThird(p.listed.Load(), n)
	if err == nil {
		p.listed.Add(n)
	}
	return err
}

// drop forgets the names of a page that broke off.
func (p *pages) drop(page names) {
	for _, names := range page {
		for _, name := range names {
			delete(p.seen, name)
			p.bytes -= len(name)
			p.unreserve(nameMemory + len(name))
		}
	}
}

// release ends the accounting for the list. The callers account for what they keep of it.
func (p *pages) release() { p.unreserve(nameMemory*len(p.seen) + p.bytes) }

func (p *pages) unreserve(n int) {
	p.listed.Add(int64(-n))
	bounds.Give(int64(n))
}

// count records a complete page.
func (p *pages) count(page names) error {
	p.empty++
	if len(page) > 0 {
		p.empty = 0
	}
	if p.empty > maxEmptyPages {
		return fmt.Errorf("%w: %d pages, %d names", ErrEndlessTags, len(p.visited), len(p.seen))
	}
	return nil
}

// IsUnknown reports whether the registry responds that it has no repository of this name. It
// makes one request without retries; any other response means false.
func (r *Repository) IsUnknown(ctx context.Context) bool {
	u := r.url("tags", "list")
	u.RawQuery = "n=1"
	resp, err := r.http.Get(transport.WithoutRetry(ctx), http.MethodGet, u, []string{"application/json"}, http.StatusOK)
	if err == nil {
		transport.Drain(resp)
	}
	return transport.Status(err) == http.StatusNotFound && transport.HasCode(err, errcode.ErrorCodeNameUnknown)
}
