package registry

import (
	"context"
	"encoding/json"
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
	p := pages{visited: make(map[string]bool), seen: make(map[string]bool)}
	u := r.url("tags", "list")
	u.RawQuery = fmt.Sprintf("n=%d", tagPage)
	for u != nil {
		tags, next, err := r.tagPage(ctx, u)
		if err == nil {
			tags, err = p.take(u, tags)
		}
		if err != nil {
			return r.fail("list tags", r.Name(), err)
		}
		if len(tags) > 0 {
			if err := yield(tags); err != nil {
				return err
			}
		}
		u = next
	}
	return nil
}

func (r *Repository) tagPage(ctx context.Context, u *url.URL) (tags []string, next *url.URL, err error) {
	resp, data, err := r.read(ctx, u, []string{"application/json"}, maxTagPage)
	if err != nil {
		return nil, nil, err
	}
	var page struct {
		Tags []string `json:"tags"`
	}
	if err := json.Unmarshal(data, &page); err != nil {
		return nil, nil, fmt.Errorf("not a tag list: %w", err)
	}
	next, err = nextPage(resp)
	return page.Tags, next, err
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
			return nil, fmt.Errorf("malformed Link header %q", header)
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
