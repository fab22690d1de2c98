package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/fetch"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// Backup copies what the selections select into out and commits it. The error
// is for the run as a whole: interrupted, the output cannot be written, two
// sources collide, or ErrNothing. An artifact that failed is in the report.
func Backup(ctx context.Context, c *registry.Client, selections []config.Selection, out store.Destination, o BackupOptions) (*Report, error) {
	b := newBackup(c, o.withDefaults())
	began := b.Now()
	err := b.into(ctx, selections, out)
	if err != nil {
		b.unfinished(ctx)
	}
	return b.report(b.Now().Sub(began)), errors.Join(err, b.planner.sources.close())
}

// backup is one run.
type backup struct {
	BackupOptions
	planner   planner
	claims    collisions
	moved     atomic.Int64
	headway   headway
	output    string
	partial   bool // the output lacks an artifact and stands aside
	committed bool // what is done stands in the output
}

func newBackup(c *registry.Client, o BackupOptions) *backup {
	b := &backup{BackupOptions: o, claims: collisions{mapper: o.Mapper}}
	g := newGraph()
	g.notice = o.Progress.Notice
	g.moved = func(n int64) { b.moved.Add(n) }
	g.root = func(ctx context.Context, o origin, ref config.Reference) (ocispec.Descriptor, []byte, error) {
		return b.planner.find(ctx, o, ref)
	}
	b.planner = planner{graph: g, sources: newSources(c, o.Concurrency), progress: o.Progress, workers: 2 * o.Concurrency, only: o.Only,
		stored: func(string) (ocispec.Descriptor, bool) { return ocispec.Descriptor{}, false }}
	if o.Previous != nil {
		b.reuse(o.Previous)
	}
	return b
}

// reuse takes from a layout what it has already.
func (b *backup) reuse(l store.Layout) {
	b.planner.known = func(at stop) (data []byte, blob bool) {
		if size, err := l.Stat(at.desc.Digest); err != nil || size != at.desc.Size {
			return nil, false
		}
		data, err := at.stored(l) // what is damaged is fetched again
		return data, errors.Is(err, errBlob)
	}
	b.planner.stored = func(name string) (ocispec.Descriptor, bool) {
		e, ok := l.Index().Lookup(name)
		return e.Descriptor(), ok
	}
}

func (b *backup) into(ctx context.Context, selections []config.Selection, out store.Destination) error {
	switch out := out.(type) {
	case *store.Dir:
		return newDirectory(b, out).run(ctx, selections)
	case *store.Archive:
		return (&archive{backup: b, out: out}).run(ctx, selections)
	}
	return fmt.Errorf("unknown kind of output %T", out)
}

// failed says that an artifact is given up. Its error ends the run if that is
// what was asked for, or if no other artifact would fare better.
func (b *backup) failed(a *artifact) error {
	if isFatal(a.err) {
		return a.err
	}
	b.Progress.Failed(a.report())
	if b.FailFast {
		return a.err
	}
	return nil
}

// finish decides what became of an artifact whose blobs have all come or
// failed, and calls put for its entry and those of its referrers.
func (b *backup) finish(a *artifact, put func(store.Entry)) {
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
			put(v.entry(name))
		})
		a.referrers = len(copied)
		missing = cmp.Or(missing, a.unpinned())
		if missing != nil {
			e.Referrers = store.ReferrersIncomplete
			a.err = &ReferrersError{Reference: a.name, Err: missing}
		}
	}
	put(e)
}

// entry returns the entry of a referrer in index.json: under its tag if it has one.
func (v *visit) entry(name string) store.Entry {
	e := store.Entry{MediaType: v.node.mediaType, ArtifactType: v.node.artifactType, Digest: v.node.digest,
		Size: v.node.size, Name: name}
	if name == "" {
		e.Repositories = v.origin.repositories(v.node.digest)
	}
	return e
}

// report returns the result of one artifact.
func (a *artifact) report() ArtifactReport {
	r := ArtifactReport{Reference: a.name, Layout: a.layout, Digest: a.root.digest, Unchanged: a.present, Err: a.err}
	if a.ref.Tag != "" && a.ref.Digest != "" {
		r.Pinned, r.Digest = true, a.ref.Digest
	}
	if a.visit == nil || a.visit.err != nil {
		return r
	}
	seen := make(map[contentKey]bool)
	a.visit.all(func(v *visit) {
		for _, part := range v.parts() {
			if !seen[part.key()] {
				seen[part.key()] = true
				r.Bytes = bounds.Sum(r.Bytes, part.size)
			}
		}
	})
	r.Expected = a.expects()
	switch {
	case a.err == nil:
		r.Referrers = r.Expected
	case isReferrers(a.err):
		r.Referrers = a.referrers
	}
	return r
}

// expects counts the referrers that are to come along: those that were found, those
// that were listed and could not be had, and at least those that a lock pins.
func (a *artifact) expects() int {
	found := make(map[digest.Digest]bool)
	lost := 0
	a.visit.all(func(v *visit) {
		lost += v.lost
		for _, r := range v.referrers {
			found[r.node.digest] = true
		}
		for _, r := range v.attached {
			found[r.node.digest] = true
		}
	})
	return max(len(found)+lost, len(a.scope.digests))
}

func (b *backup) report(took time.Duration) *Report {
	r := &Report{Planned: b.planner.listed, Moved: b.moved.Load(), Duration: took, Output: b.output, Incomplete: b.partial, Newest: b.planner.sources.newestTags()}
	var have possessions
	for _, a := range b.planner.all {
		one := a.report()
		r.Artifacts = append(r.Artifacts, one)
		r.Referrers += one.Referrers
		r.Expected += one.Expected
		if one.Err == nil || isReferrers(one.Err) { // of what failed only the manifest says how large it is
			r.Shared = bounds.Sum(r.Shared, max(0, one.Bytes-have.add(a)))
		}
		if one.Unchanged && one.Err == nil {
			r.Unchanged++
		}
	}
	r.There = have.there
	return r
}

// possessions are the manifests and blobs that artifacts consist of. Each knows
// whether it was counted: of 100,000 artifacts a set would take memory.
type possessions struct {
	there int64 // bytes of them that the output had before
}

// add returns how many bytes of an artifact no artifact before it has.
func (p *possessions) add(a *artifact) (fresh int64) {
	if a.visit == nil || a.visit.err != nil {
		return 0
	}
	meet := func(size int64, held bool) {
		fresh = bounds.Sum(fresh, size)
		if held {
			p.there = bounds.Sum(p.there, size)
		}
	}
	a.visit.all(func(v *visit) {
		if n := v.node; !n.counted {
			n.counted = true
			meet(n.size, !n.near && !n.came)
		}
		for _, b := range v.blobs() {
			if !b.counted {
				b.counted = true
				meet(b.size, b.held)
			}
		}
	})
	return fresh
}

// unfinished says of each artifact that a run which ended early did not get to:
// that it is not whole in the output, though nothing is wrong with it.
func (b *backup) unfinished(ctx context.Context) {
	for _, a := range b.planner.all {
		whole := a.done && (b.committed || a.present)
		if a.err == nil && !whole || wasUnderWay(ctx, a.err) {
			a.err = ErrUnfinished
		}
	}
}

// widened is an entry with what an earlier run had selected of the same artifact,
// which is still there: what a directory has is not taken back. selects tells
// whether some platforms are all that the artifact has.
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

// open reads a part of a blob, and tells the run what is read: progress of
// everything, and apart from that what came over the network.
func (b *backup) open(ctx context.Context, from origin, desc ocispec.Descriptor, off, n int64) (io.ReadCloser, error) {
	if desc.Size == 0 { // nothing to ask for; whether the digest is that of nothing is checked like any other
		return io.NopCloser(strings.NewReader("")), nil
	}
	body, err := from.blob(ctx, desc, off, n)
	if errors.Is(err, registry.ErrNoRange) {
		return nil, fetch.ErrWholeOnly
	}
	if err != nil {
		return nil, err
	}
	near := onDisk(from)
	key := contentKey{desc.Digest, desc.Size}
	return part{Closer: body, Reader: &counted{Reader: body, heard: func(n int64) {
		b.advance(key, off, n)
		off += n
		if !near {
			b.moved.Add(n)
		}
	}}}, nil
}

// advance tells of bytes of a blob that were not there before.
func (b *backup) advance(key contentKey, off, n int64) {
	if added := b.headway.add(key, off, n); added > 0 {
		b.Progress.Moved(added)
	}
}
