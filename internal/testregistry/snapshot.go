package testregistry

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
)

// Contents is everything that a registry serves: its tags by "repository:tag", and digests
// that were requested as "repository@digest". It has no entries for the tags that replace a
// missing referrers API, but for the referrers in them.
type Contents map[string]Root

// Root is the graph of one tag, as the registry served it:
//
//	"manifest sha256:…"                     -> its media type
//	"blob sha256:…"                         -> its size
//	"referrer sha256:… of sha256:…"         -> its artifact type in the list
type Root struct {
	Digest digest.Digest
	Graph  map[string]string
	bare   map[string]string // Graph without what only a referrer leads to
}

// Snapshot walks a registry: catalog, tags, manifests, blobs, referrers by the API and by
// fallback tags, and referrers of those. It fetches and hashes every byte. It walks artifacts
// without a tag only if extra has them, as "repository@digest". Missing or wrong content is an
// error.
func Snapshot(ctx context.Context, access Access, extra ...string) (Contents, error) {
	client := access.client()
	registry, err := access.registry(client)
	if err != nil {
		return nil, err
	}
	var names []string
	err = registry.Repositories(ctx, "", func(page []string) error {
		names = append(names, page...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	contents := Contents{}
	for _, name := range names {
		w, err := newWalker(access, client, name)
		if err != nil {
			return nil, err
		}
		if err := w.walk(ctx, contents, extra); err != nil {
			return nil, fmt.Errorf("%s/%s: %w", access.Host, name, err)
		}
	}
	for _, name := range extra {
		if _, ok := contents[name]; !ok {
			return nil, fmt.Errorf("%s/%s: no such repository", access.Host, name)
		}
	}
	return contents, nil
}

// fallback matches the tags that list referrers. cosign's end in .sig and the like, and are
// tags like others.
var fallback = regexp.MustCompile(`^(sha256-[0-9a-f]{64}|sha512-[0-9a-f]{128})$`)

// Map renames entries: rename gets and returns "repository:tag" or "repository@digest". An
// empty name drops the entry.
func (c Contents) Map(rename func(name string) string) Contents {
	renamed := Contents{}
	for name, root := range c {
		if to := rename(name); to != "" {
			renamed[to] = root
		}
	}
	return renamed
}

// Prefix puts a namespace before every name.
func (c Contents) Prefix(namespace string) Contents {
	return c.Map(func(name string) string { return namespace + "/" + name })
}

// Without drops names that begin with a prefix.
func (c Contents) Without(prefix string) Contents {
	return c.Map(func(name string) string {
		if strings.HasPrefix(name, prefix) {
			return ""
		}
		return name
	})
}

// WithoutReferrers returns the contents without all that only a referrer leads to.
func (c Contents) WithoutReferrers() Contents {
	bare := Contents{}
	for name, root := range c {
		bare[name] = Root{root.Digest, root.bare, root.bare}
	}
	return bare
}

// Diff returns the sorted lines of the differences between want and got.
func Diff(want, got Contents) []string {
	lines := Missing(want, got)
	for name, root := range got {
		wanted, ok := want[name]
		if !ok {
			lines = append(lines, name+": not wanted")
			continue
		}
		for item := range root.Graph {
			if _, ok := wanted.Graph[item]; !ok {
				lines = append(lines, name+": not wanted: "+item)
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// Missing returns a line for everything in want that is not in got, or differs there. got may
// have more.
func Missing(want, got Contents) []string {
	var lines []string
	for name, root := range want {
		there, ok := got[name]
		switch {
		case !ok:
			lines = append(lines, name+": missing")
			continue
		case there.Digest != root.Digest:
			lines = append(lines, fmt.Sprintf("%s: is %s, want %s", name, there.Digest, root.Digest))
		}
		for item, value := range root.Graph {
			if is, ok := there.Graph[item]; !ok {
				lines = append(lines, name+": missing: "+item)
			} else if is != value {
				lines = append(lines, fmt.Sprintf("%s: %s: is %q, want %q", name, item, is, value))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// Union returns the contents of several registries. A name that two have must be the same in
// both.
func Union(all ...Contents) (Contents, error) {
	union := Contents{}
	for _, contents := range all {
		for name, root := range contents {
			if is, ok := union[name]; ok && !maps.Equal(is.Graph, root.Graph) {
				return nil, fmt.Errorf("%s: two different ones", name)
			}
			union[name] = root
		}
	}
	return union, nil
}
