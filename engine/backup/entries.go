package backup

import (
	"cmp"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/scope"
	"github.com/oras-mirror/oras-mirror/internal/compact"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// putEntries calls put for the entry of an artifact and those of its referrers, once
// all of its blobs have come or failed. An artifact that is not whole gets its error.
func (j *job) putEntries(put func(oci.Entry)) {
	a := j.Artifact
	if err := a.Visit.Whole(); err != nil {
		a.Err = err
		return
	}
	e := oci.Entry{MediaType: a.Root.MediaType, ArtifactType: a.Visit.Node.ArtifactType, Digest: a.Root.Digest,
		Size: a.Root.Size, Name: a.Name, Referrers: oci.ReferrersNone}
	if a.Visit.IsSparse() {
		e.Platforms = scope.PlatformNames(a.Platforms())
	}
	if a.Scope.Referrers {
		e.Referrers = oci.ReferrersAll
	}
	if a.Scope.Referrers || a.Scope.HasPolicy() {
		copied := make(map[digest.Digest]bool)
		missing := a.Visit.Referring(func(v *graph.Visit, name string) {
			copied[v.Node.Digest] = true
			put(entryOf(v, name))
		})
		j.referrers = len(copied)
		missing = cmp.Or(missing, a.Unpinned())
		if missing != nil {
			e.Referrers = oci.ReferrersIncomplete
			a.Err = &engine.ReferrersError{Reference: a.Name, Err: missing}
		}
	}
	put(e)
}

// entryOf returns the entry of a referrer in index.json: under its tag if it has one.
func entryOf(v *graph.Visit, name string) oci.Entry {
	e := oci.Entry{MediaType: v.Node.MediaType, ArtifactType: v.Node.ArtifactType, Digest: v.Node.Digest,
		Size: v.Node.Size, Name: name}
	if name == "" {
		e.Repositories = v.Origin.Repositories(v.Node.Digest)
		e.Subject = compact.Of(v.Node.Subject)
	}
	return e
}

// widened adds to an entry the selection of an earlier run of the same artifact: a directory
// keeps its content. selects reports whether some platforms are all that the artifact has.
func widened(e, old oci.Entry, selects func([]config.Platform) bool) oci.Entry {
	if e.Name == "" || old.Digest != e.Digest || e.Referrers == oci.ReferrersIncomplete {
		return e
	}
	now, then := strings.Split(e.Platforms, ","), strings.Split(old.Platforms, ",")
	covers := old.Platforms == "" || e.Platforms != "" && !slices.ContainsFunc(now, func(p string) bool { return !slices.Contains(then, p) })
	switch {
	case covers:
		e.Platforms = old.Platforms
		if e.Referrers == oci.ReferrersNone && old.Referrers != "" {
			e.Referrers = old.Referrers
		}
	case e.Platforms != "":
		both := slices.Concat(now, then)
		slices.Sort(both)
		e.Platforms = strings.Join(slices.Compact(both), ",")
		if platforms, err := scope.ParsePlatforms(e.Platforms); err == nil && selects(platforms) {
			e.Platforms = ""
		}
	}
	return e
}
