package content

import (
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/compact"
)

// Repository is a repository under the path of a request. A path may name several sources.
type Repository struct {
	table   *table
	scanner *scanner
	views   []view
}

// Artifact is the artifact of a tag.
type Artifact struct {
	Digest    digest.Digest
	MediaType string // in index.json; "" if it has none
	Clash     Clash  // of two artifacts with this tag; zero: none
}

// IsKnown reports whether the inputs have the repository.
func (r *Repository) IsKnown() bool { return len(r.views) > 0 }

// Tags returns at most n tags behind last, in the order of bytes, and whether others follow.
func (r *Repository) Tags(last string, n int) (tags []string, more bool) {
	if !r.IsKnown() {
		return nil, false
	}
	rest := r.views[0].tags
	if last != "" {
		begin, found := r.table.search(rest, last)
		if found {
			begin++
		}
		rest = rest[begin:]
	}
	for _, x := range rest[:min(n, len(rest))] {
		tags = append(tags, string(r.table.tag(x)))
	}
	return tags, len(tags) < len(rest)
}

// Find returns the artifact of a tag, under the first meaning of the path that has it.
func (r *Repository) Find(tag string) (a Artifact, found bool) {
	t := r.table
	for _, v := range r.views {
		if at, ok := t.search(v.tags, tag); ok {
			x := v.tags[at]
			return Artifact{compact.Digest(t.sum(x.sum)).Digest(), t.words[x.media], t.clashes[x.clash]}, true
		}
	}
	return Artifact{}, false
}

// Referrers returns the digests of the manifests that refer to a subject, sorted.
func (r *Repository) Referrers(subject compact.Digest) (all []compact.Digest, err error) {
	sources := r.sources()
	for _, x := range r.table.referring(r.table.referrers, subject) {
		if r.table.isHome(x.homes, sources) {
			all = append(all, compact.Digest(r.table.sum(x.sum)))
		}
	}
	for _, key := range append([]int32{nameless}, sources...) {
		scan, err := r.scanner.scan(key)
		if err != nil {
			return nil, err
		}
		for _, f := range scan.referring(subject) {
			if r.table.isHome(f.homes, sources) {
				all = append(all, f.digest)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// sources returns the sources of all views.
func (r *Repository) sources() (all []int32) {
	for _, v := range r.views {
		all = append(all, v.sources...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
