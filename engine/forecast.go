package engine

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/fetch"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// ForecastBackup plans a backup and stops before the blobs. there is what the
// output holds now, or nil; directory says which of the two kinds it is.
func ForecastBackup(ctx context.Context, c *registry.Client, selections []config.Selection, there store.Layout, directory bool, o BackupOptions) (*Forecast, error) {
	b := newBackup(o)
	var output cache
	if there != nil {
		output = layoutCache{there}
	}
	before := requests(c)
	b.plan(c, selections, output, nil)
	err := b.planner.each(ctx, true, func(a *artifact) error {
		if a.err == nil {
			a.err = b.claims.claim(a)
		}
		if a.err != nil && isFatal(a.err) {
			return a.err
		}
		if a.visit != nil {
			a.visit.all(func(v *visit) { v.node.drop() })
		}
		return nil
	})
	if err = errors.Join(err, b.planner.close()); err != nil {
		return nil, err
	}
	f := &Forecast{Requests: requests(c) - before, Transfer: b.moved.Load(), Newest: b.planner.newest()}
	b.forecast(f, there, directory)
	return f, nil
}

func (b *backup) forecast(f *Forecast, there store.Layout, directory bool) {
	t := &tally{Forecast: f, backup: b, there: there, directory: directory, seen: make(map[contentKey]bool)}
	for _, a := range b.planner.all {
		f.Artifacts = append(f.Artifacts, outlookOf(a, there, directory))
		if a.err == nil {
			t.addArtifact(a.visit)
		}
	}
}

// tally adds up what a backup would move.
type tally struct {
	*Forecast
	backup    *backup
	there     store.Layout // what the output holds now, or nil
	directory bool
	seen      map[contentKey]bool
}

// addArtifact counts the manifests and blobs of an artifact, each once.
func (t *tally) addArtifact(root *visit) {
	once := make(map[contentKey]bool)
	isFirst := func(d descriptor) bool {
		met := once[d.key()]
		once[d.key()] = true
		return !met
	}
	root.all(func(v *visit) {
		if n := v.node.descriptor; isFirst(n) && t.addPart(n) && !v.node.came && (onDisk(v.origin) || v.node.near) {
			t.Near = bounds.Sum(t.Near, n.size)
		}
		for _, blob := range v.blobs() {
			if isFirst(blob.descriptor) && t.addPart(blob.descriptor) {
				t.addBlob(blob)
			}
		}
	})
}

// addPart counts a manifest or a blob, and tells whether it has to come.
func (t *tally) addPart(d descriptor) bool {
	if t.seen[d.key()] {
		t.Shared = bounds.Sum(t.Shared, d.size)
		return false
	}
	t.seen[d.key()] = true
	t.Distinct = bounds.Sum(t.Distinct, d.size)
	t.Parts++
	if t.there != nil {
		if size, err := t.there.Stat(d.digest); err == nil && size == d.size {
			t.There = bounds.Sum(t.There, d.size)
			return false
		}
	}
	t.New++
	return true
}

// addBlob counts the requests and the bytes of a blob that has to come; one that is
// inline came with a manifest.
func (t *tally) addBlob(b *blob) {
	switch {
	case t.backup.planner.isInline(b):
	case t.backup.planner.isNear(b):
		t.Near = bounds.Sum(t.Near, b.size)
	default:
		t.Transfer = bounds.Sum(t.Transfer, b.size)
		if b.size > 0 {
			t.Transfers++
		}
		t.Requests += t.backup.pieces(b.size, t.directory)
	}
}

// pieces returns how many requests bring a blob.
func (b *backup) pieces(size int64, directory bool) int {
	o := fetch.Options{Budget: b.Buffer}
	if size == 0 {
		return 0
	}
	if directory && size <= largeBlob {
		return 1
	}
	return o.Pieces(size)
}

// outlookOf tells what a backup would do about an artifact.
func outlookOf(a *artifact, there store.Layout, directory bool) Outlook {
	o := Outlook{Reference: a.ref, Name: a.name, Digest: a.root.digest, MediaType: a.root.mediaType, Err: a.err, State: StateFailed}
	if a.err != nil {
		return o
	}
	if a.visit.isSparse() {
		o.Platforms = a.platforms()
	}
	o.Size = a.report().Bytes
	o.Err = a.visit.referring(func(v *visit, _ string) { o.Referrers = append(o.Referrers, v.node.digest) })
	slices.Sort(o.Referrers)
	o.Referrers = slices.Compact(o.Referrers)
	o.Subjects = a.visit.subjects()
	if o.Err = cmp.Or(o.Err, a.unpinned()); o.Err != nil {
		o.State = StateFailed
		return o
	}
	o.State = StateNew
	if there != nil {
		o.State = stateOf(a, there, directory)
	}
	return o
}

// stateOf compares an artifact with what a layout has. A directory keeps what it has
// beyond that, an archive is replaced.
func stateOf(a *artifact, there store.Layout, directory bool) State {
	e, ok := there.Index().Lookup(a.name)
	switch {
	case !ok:
		return StateNew
	case e.Digest != a.root.digest, !directory && narrows(a, e):
		return StateChanged
	}
	state := StateUnchanged
	missing := func(d descriptor) {
		if size, err := there.Stat(d.digest); err != nil || size != d.size {
			state = StateChanged
		}
	}
	a.visit.all(func(v *visit) {
		missing(v.node.descriptor)
		for _, b := range v.blobs() {
			missing(b.descriptor)
		}
	})
	return state
}

// narrows tells whether less is selected of an artifact than an entry has.
func narrows(a *artifact, e store.Entry) bool {
	platforms := ""
	if a.visit.isSparse() {
		platforms = platformNames(a.platforms())
	}
	return platforms != "" && platforms != e.Platforms || !a.scope.referrers && e.Referrers == store.ReferrersAll
}
