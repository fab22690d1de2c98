package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

const (
	// tagPage is what most registries give at most; distribution refuses more.
	tagPage = 1000
	// maxTagPage holds a million tags: some registries do not cut pages.
	maxTagPage = 128 << 20
	// maxEmptyPages is how many pages in a row may bring nothing new. A few do
	// on registries that filter what they list.
	maxEmptyPages = 100
	maxTags       = 5_000_000
)

// Tags hands over all tags of the repository, each once, page by page in the
// registry's order. No request is in flight while yield runs. The tags of the
// referrers tag schema are among them.
func (r *Repository) Tags(ctx context.Context, yield func(tags []string) error) error {
	return r.list(ctx, "list tags", r.Name(), r.url("tags", "list"), yield)
}

// FirstTags returns the first page of the tag list, and whether there are more.
func (r *Repository) FirstTags(ctx context.Context) (tags []string, more bool, err error) {
	u := r.url("tags", "list")
	u.RawQuery = fmt.Sprintf("n=%d", tagPage)
	tags, next, err := r.listPage(ctx, u)
	return tags, next != nil, r.fail("list tags", r.Name(), err)
}

// list hands over what a paged list names, each name once. An error of yield is
// returned as it is.
func (r *Repository) list(ctx context.Context, op, of string, u *url.URL, yield func(names []string) error) error {
	p := pages{visited: make(map[string]bool), seen: make(map[string]bool)}
	u.RawQuery = fmt.Sprintf("n=%d", tagPage)
	for u != nil {
		names, next, err := r.listPage(ctx, u)
		if err == nil {
			names, err = p.take(u, names)
		}
		if err != nil {
			return r.fail(op, of, err)
		}
		if len(names) > 0 {
			if err := yield(names); err != nil {
				return err
			}
		}
		u = next
	}
	return nil
}

func (r *Repository) listPage(ctx context.Context, u *url.URL) (names []string, next *url.URL, err error) {
	resp, data, err := r.read(ctx, u, []string{"application/json"}, maxTagPage)
	if err != nil {
		return nil, nil, err
	}
	var page struct {
		Tags         []string `json:"tags"`
		Repositories []string `json:"repositories"`
	}
	if err := json.Unmarshal(data, &page); err != nil {
		return nil, nil, fmt.Errorf("not a list: %w", err)
	}
	next, err = nextPage(resp)
	return append(page.Tags, page.Repositories...), next, err
}

// pages keeps a listing from going on for ever.
type pages struct {
	visited map[string]bool // URLs
	seen    map[string]bool // tags
	empty   int             // pages in a row without a new tag
}

// take returns those tags of a page that are new.
func (p *pages) take(u *url.URL, tags []string) ([]string, error) {
	if p.visited[u.String()] {
		return nil, fmt.Errorf("%w: a page leads back to itself", ErrEndlessTags)
	}
	p.visited[u.String()] = true
	fresh := tags[:0]
	for _, t := range tags {
		if !p.seen[t] {
			p.seen[t] = true
			fresh = append(fresh, t)
		}
	}
	p.empty++
	if len(fresh) > 0 {
		p.empty = 0
	}
	if p.empty > maxEmptyPages || len(p.seen) > maxTags {
		return nil, fmt.Errorf("%w: %d pages, %d tags", ErrEndlessTags, len(p.visited), len(p.seen))
	}
	return fresh, nil
}

// nextPage returns where a Link header leads (RFC 8288), nil at the end. It has
// to be the registry itself: the link is followed with our token.
func nextPage(resp *http.Response) (*url.URL, error) {
	for _, header := range resp.Header.Values("Link") {
		target, rest, ok := strings.Cut(strings.TrimSpace(header), ">")
		if !ok || !strings.HasPrefix(target, "<") {
			return nil, errors.New("malformed Link header")
		}
		if _, relation, ok := strings.Cut(strings.ReplaceAll(rest, `"`, ""), "rel="); ok && !strings.HasPrefix(relation, "next") {
			continue
		}
		next, err := relocate(resp.Request.URL, target[1:])
		if err != nil {
			return nil, err
		}
		if !sameOrigin(next, resp.Request.URL) {
			return nil, fmt.Errorf("the next page is on another host: %s", next.Host)
		}
		return next, nil
	}
	return nil, nil
}
