package content

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/internal/compact"
)

// table has the names of all artifacts. It is compact, since 100,000 artifacts with a
// referrer each are common: texts and digests lie one after the other, and each row is 16
// bytes without a pointer.
type table struct {
	text  []byte   // tags
	sums  []byte   // digests, as compact.Digest has them
	words []string // media types

	sources   []source   // by registry and path
	names     []name     // by path
	clashes   []Clash    // the first is none
	referrers []referrer // by subject and digest
	homes     [][]int32  // sets of sources; the first is any
	unread    []referrer // without a subject: only the manifest has it
	artifacts int
}

// source is a repository that artifacts come from.
type source struct {
	registry string // in lower case; "" if it is unknown
	path     string
	excluded bool // by a mapping
	tags     []tagged
}

// Name returns REGISTRY/PATH.
func (s *source) Name() string { return strings.TrimPrefix(s.registry+"/"+s.path, "/") }

// name is a repository as a restore would name it.
type name struct {
	path  string
	parts []part
	tags  []tagged // of all parts
}

// part has the tags of one source under the name of a restore.
type part struct {
	source int32
	tags   []tagged
}

// tagged is a tag with its digest.
type tagged struct {
	text   uint32 // offset
	sum    uint32 // offset
	clash  uint32 // the clash with another artifact; 0: none
	media  uint16
	length uint8 // of the text
}

// Clash is a tag that stands for two artifacts.
type Clash struct{ One, Other string }

// referrer is a manifest that refers to another one.
type referrer struct {
	subject uint32 // offset
	sum     uint32 // offset
	homes   uint32
	media   uint16
}

func (t *table) tag(x tagged) []byte { return t.text[x.text:][:x.length] }

func (t *table) sum(at uint32) []byte { return compact.First(t.sums[at:]) }

// size returns the numbers of tags and of repositories.
func (t *table) size() (artifacts, repositories int) { return t.artifacts, len(t.names) }

// account counts the memory of the table until it is given back.
func (t *table) account() (int64, error) {
	n := int64(cap(t.text) + cap(t.sums) + 16*(cap(t.referrers)+cap(t.unread)))
	for i := range t.sources {
		n += int64(200 + len(t.sources[i].path) + 16*cap(t.sources[i].tags))
	}
	for i := range t.names {
		n += int64(200 + 16*cap(t.names[i].tags))
	}
	return n, bounds.Take(n)
}

// search finds a tag in a list in the order of bytes; without it, the position where it would be.
func (t *table) search(tags []tagged, tag string) (int, bool) {
	return slices.BinarySearchFunc(tags, []byte(tag), func(x tagged, tag []byte) int { return bytes.Compare(t.tag(x), tag) })
}

// source returns the number of a source, unless it is excluded.
func (t *table) source(registry, path string) (int32, bool) {
	at, found := slices.BinarySearchFunc(t.sources, source{registry: registry, path: path}, compareSources)
	return int32(at), found && !t.sources[at].excluded
}

func compareSources(a, b source) int {
	return cmp.Or(cmp.Compare(a.registry, b.registry), cmp.Compare(a.path, b.path))
}

// sourcesIn returns the range of the sources in a registry.
func (t *table) sourcesIn(registry string) (begin, end int) {
	begin, _ = slices.BinarySearchFunc(t.sources, registry, func(x source, registry string) int { return cmp.Compare(x.registry, registry) })
	for end = begin; end < len(t.sources) && t.sources[end].registry == registry; end++ {
	}
	return begin, end
}

// name returns the repository with the name of a restore; nil if there is none.
func (t *table) name(path string) *name {
	at, found := slices.BinarySearchFunc(t.names, path, func(n name, path string) int { return cmp.Compare(n.path, path) })
	if !found {
		return nil
	}
	return &t.names[at]
}

// referring returns the rows whose subject is a digest.
func (t *table) referring(all []referrer, subject compact.Digest) []referrer {
	key := []byte(subject)
	begin, found := slices.BinarySearchFunc(all, key, func(r referrer, key []byte) int { return bytes.Compare(t.sum(r.subject), key) })
	if !found {
		return nil
	}
	end := begin
	for end < len(all) && bytes.Equal(t.sum(all[end].subject), key) {
		end++
	}
	return all[begin:end]
}

// isHome reports whether a referrer belongs to one of some sources.
func (t *table) isHome(homes uint32, sources []int32) bool {
	return homes == 0 || slices.ContainsFunc(t.homes[homes], func(s int32) bool { return slices.Contains(sources, s) })
}

// media returns the media type that index.json gives a digest; "" if it has none.
func (t *table) media(sum compact.Digest) string {
	for i := range t.sources {
		for _, x := range t.sources[i].tags {
			if string(t.sum(x.sum)) == string(sum) {
				return t.words[x.media]
			}
		}
	}
	for _, all := range [][]referrer{t.referrers, t.unread} {
		for _, r := range all {
			if string(t.sum(r.sum)) == string(sum) {
				return t.words[r.media]
			}
		}
	}
	return ""
}
