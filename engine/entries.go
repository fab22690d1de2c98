package engine

import (
	"cmp"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/store"
)

// putEntries calls put for the entry of an artifact and those of its referrers, once
// all of its blobs have come or failed. An artifact that is not whole gets its error.
func (j *job) putEntries(put func(store.Entry)) {
	a := j.artifact
	if err := a.visit.whole(); err != nil {
		a.err = err
		return
	}
	e := store.Entry{MediaType: a.root.mediaType, ArtifactType: a.visit.node.artifactType, Digest: a.root.digest,
		Size: a.root.size, Name: a.name, Referrers: store.ReferrersNone}
	if a.visit.isSparse() {
		e.Platforms = platformNames(a.platforms())
	}
	if a.scope.referrers {
		e.Referrers = store.ReferrersAll
		copied := make(map[digest.Digest]bool)
		missing := a.visit.referring(func(v *visit, name string) {
			copied[v.node.digest] = true
			put(entryOf(v, name))
		})
		j.referrers = len(copied)
		missing = cmp.Or(missing, a.unpinned())
		if missing != nil {
			e.Referrers = store.ReferrersIncomplete
			a.err = &ReferrersError{Reference: a.name, Err: missing}
		}
	}
	put(e)
}

// entryOf returns the entry of a referrer in index.json: under its tag if it has one.
func entryOf(v *visit, name string) store.Entry {
	e := store.Entry{MediaType: v.node.mediaType, ArtifactType: v.node.artifactType, Digest: v.node.digest,
		Size: v.node.size, Name: name}
	if name == "" {
		e.Repositories = v.origin.repositories(v.node.digest)
	}
	return e
}

// widened returns an entry with what an earlier run had selected of the same artifact,
// too: a directory keeps what it has. selects tells whether some platforms are all that
// the artifact has.
func widened(e, old store.Entry, selects func([]config.Platform) bool) store.Entry {
	if e.Name == "" || old.Digest != e.Digest || e.Referrers == store.ReferrersIncomplete {
		return e
	}
	now, then := strings.Split(e.Platforms, ","), strings.Split(old.Platforms, ",")
	covers := old.Platforms == "" || e.Platforms != "" && !slices.ContainsFunc(now, func(p string) bool { return !slices.Contains(then, p) })
	switch {
	case covers:
		e.Platforms = old.Platforms
		if e.Referrers == store.ReferrersNone && old.Referrers != "" {
			e.Referrers = old.Referrers
		}
	case e.Platforms != "":
		both := slices.Concat(now, then)
		slices.Sort(both)
		e.Platforms = strings.Join(slices.Compact(both), ",")
		if platforms, err := parsePlatforms(e.Platforms); err == nil && selects(platforms) {
			e.Platforms = ""
		}
	}
	return e
}
