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

	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

const (
	// tagPage is the largest page of most registries; some refuse to give more.
	tagPage = 1000
	// maxTagPage holds all tags there may be: some registries do not cut pages.
	maxTagPage = 128 << 20
	// maxEmptyPages is how many pages in a row may bring nothing new. A few do
	// on registries that filter what they list.
	maxEmptyPages = 100
	// maxTags and maxTagBytes bound what of one list is kept in memory. The largest
	// known have about 100,000 tags, of 20 to 60 bytes.
	maxTags     = 500_000
	maxTagBytes = 32 << 20
	// nameMemory is the memory of a name beside its text: its places in a map and
	// in a list, which grow by doubling.
	nameMemory = 75
	// namesTogether is how many names are kept in one piece: slices of megabytes that
	// grow side by side leave gaps that nothing fits into.
	namesTogether = 4096
)

// listing is a paged list of names: where it is, and what it is called.
type listing struct {
	op, of string // for errors
	url    *url.URL
	key    string // of the array in a page
}

// Tags hands over all tags of the repository, each once, page by page in the
// registry's order. No request is in flight while yield runs. The tags of the
// referrers tag schema are among them.
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

// list hands over what a paged list names, each name once. An error of yield is
// returned as it is.
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

// firstPage asks for pages of our size, or for those that the registry gives by
// itself where it refuses ours (distribution's catalog.maxentries).
func (r *Repository) firstPage(ctx context.Context, l listing, p *pages) (page names, next *url.URL, err error) {
	if _, refused := r.host.pageSizeRefused.Load(l.key); refused {
		return r.listPage(ctx, l, l.url, p)
	}
	sized := *l.url
	sized.RawQuery = fmt.Sprintf("n=%d", tagPage)
	page, next, err = r.listPage(ctx, l, &sized, p)
	if s := Status(err); s != http.StatusBadRequest && s != http.StatusUnprocessableEntity {
		return page, next, err
	}
	if page, next, err = r.listPage(ctx, l, l.url, p); err == nil {
		r.host.pageSizeRefused.Store(l.key, true)
	}
	return page, next, err
}

// listPage returns the names of a page that are new.
func (r *Repository) listPage(ctx context.Context, l listing, u *url.URL, p *pages) (page names, next *url.URL, err error) {
	if err := p.visit(u); err != nil {
		return nil, nil, err
	}
	resp, err := r.stream(ctx, u, []string{"application/json"}, maxTagPage, func(_ *http.Response, body io.Reader) error {
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
		next, err = nextPage(resp)
	}
	if err != nil {
		return nil, nil, err
	}
	return page, next, nil
}

// names are those of a page, in pieces.
type names [][]string

// with returns them with one more.
func (n names) with(name string) names {
	if len(n) == 0 || len(n[len(n)-1]) >= namesTogether {
		n = append(n, nil)
	}
	last := &n[len(n)-1]
	*last = append(*last, name)
	return n
}

// pages keeps a listing from going on for ever, and from filling the memory.
type pages struct {
	visited map[[sha256.Size]byte]bool // URLs
	seen    map[string]struct{}        // names
	bytes   int                        // of the names
	empty   int                        // pages in a row without a new name
	listed  *atomic.Int64              // bytes that all lists which are read now keep
}

func newPages(listed *atomic.Int64) *pages {
	return &pages{visited: make(map[[sha256.Size]byte]bool), seen: make(map[string]struct{}), listed: listed}
}

// visit takes note of a page before it is asked for.
func (p *pages) visit(u *url.URL) error {
	key := sha256.Sum256([]byte(u.String()))
	if p.visited[key] {
		return fmt.Errorf("%w: a page leads back to itself", ErrEndlessTags)
	}
	p.visited[key] = true
	return nil
}

// add appends a name of a page to its others, if it is new.
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

// reserve counts what is going to be kept for a name. All lists together may have a
// third of what the run may keep.
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

// release ends the counting of what was kept: what is still needed of it counts where
// it goes.
func (p *pages) release() { p.unreserve(nameMemory*len(p.seen) + p.bytes) }

func (p *pages) unreserve(n int) {
	p.listed.Add(int64(-n))
	bounds.Give(int64(n))
}

// count takes note of a page that came whole.
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

// IsUnknown asks, in one try, whether the registry knows no repository of that name.
// What it cannot tell is no.
func (r *Repository) IsUnknown(ctx context.Context) bool {
	u := r.url("tags", "list")
	u.RawQuery = "n=1"
	resp, err := r.get(withoutRetry(ctx), http.MethodGet, u, []string{"application/json"}, http.StatusOK)
	if err == nil {
		drain(resp)
	}
	return Status(err) == http.StatusNotFound && HasCode(err, errcode.ErrorCodeNameUnknown)
}
