package backup

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/fetch"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/headway"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/internal/scope"
	"github.com/oras-mirror/oras-mirror/engine/plan"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Output describes the output of a backup to a forecast.
type Output struct {
	There     store.Layout // its present content, or nil
	Directory bool         // a directory, or a prefix in a bucket, keeps what it has; an archive is replaced

	Parts *store.PartsPlan // of an archive in parts, else nil
}

// Forecast plans a backup and stops before the blobs.
func Forecast(ctx context.Context, c *registry.Client, selections []config.Selection, out Output, o engine.BackupOptions) (*engine.Forecast, error) {
	b := newBackup(o)
	var output graph.Cache
	if out.There != nil {
		output = graph.LayoutCache{Layout: out.There}
	}
	if l, ok := out.There.(store.Lister); ok { // else each blob would cost a request
		if err := l.ListBlobs(ctx); err != nil {
			return nil, err
		}
	}
	before := headway.Requests(c)
	b.plan(c, selections, output, nil)
	err := b.planner.EachInOrder(ctx, func(a *plan.Artifact) error {
		if a.Err == nil {
			a.Err = b.claims.Claim(a)
		}
		if a.Err != nil && engine.IsFatal(a.Err) {
			return a.Err
		}
		return b.takeManifests(ctx, a, out.Parts)
	})
	if err = errors.Join(err, b.planner.Close()); err != nil {
		return nil, err
	}
	f := &engine.Forecast{Requests: headway.Requests(c) - before, Transfer: b.moved.Load(), Newest: b.planner.Newest(), Waiting: b.planner.Waiting()}
	b.forecast(f, out)
	b.tellUselessPlan(f)
	if out.Parts != nil {
		err = b.divide(f, out.Parts)
	}
	return f, err
}

func (b *backup) forecast(f *engine.Forecast, out Output) {
	t := &counter{Forecast: f, backup: b, out: out, seen: make(map[content.Key]bool)}
	loads := newLoads(b)
	for _, a := range b.planner.All {
		o := b.outlookOf(a, out)
		o.Shard = loads.add(a)
		f.Artifacts = append(f.Artifacts, o)
		if a.Err == nil {
			t.addArtifact(a.Visit)
		}
	}
	f.Needed = needed(f, out)
	f.Shards, f.Repositories = loads.shards.All, loads.repositories()
}

// Space that a layout needs in addition to manifests and blobs, in bytes.
const (
	perFile   = 4 << 10 // of a directory: the rest of the last block of a file
	perName   = 2 << 10 // an entry of index.json
	perOutput = 16 << 10
)

// needed returns the bytes of disk that an output needs at most. It assumes that an archive
// does not compress.
func needed(f *engine.Forecast, out Output) int64 {
	names := int64(perOutput)
	for _, o := range f.Artifacts {
		names += perName * int64(1+len(o.Referrers))
	}
	if out.Directory {
		return f.Distinct - f.Left - f.There + int64(f.New)*perFile + names
	}
	return bundle.MaxSize(f.Parts, f.Distinct-f.Left) + names
}

// counter adds up the bytes that a backup would move.
type counter struct {
	*engine.Forecast
	backup *backup
	out    Output
	seen   map[content.Key]bool
}

// addArtifact counts the manifests and blobs of an artifact, each once.
func (t *counter) addArtifact(root *graph.Visit) {
	once := make(map[content.Key]bool)
	isFirst := func(d content.Descriptor) bool {
		met := once[d.Key()]
		once[d.Key()] = true
		return !met
	}
	root.All(func(v *graph.Visit) {
		if n := v.Node.Descriptor; isFirst(n) && t.addPart(n) && !v.Node.Came && (origin.OnDisk(v.Origin) || v.Node.Near) {
			t.Near = bounds.Sum(t.Near, n.Size)
		}
		for _, blob := range v.Blobs() {
			if isFirst(blob.Descriptor) && !t.addLeft(blob) && t.addPart(blob.Descriptor) {
				t.addBlob(blob)
			}
		}
	})
}

// addLeft counts a blob if it is left to the base of a delta, and reports whether it is.
func (t *counter) addLeft(blob *graph.Blob) bool {
	d := blob.Descriptor
	if !t.backup.isInBase(d) {
		return false
	}
	if t.seen[d.Key()] {
		t.Shared = bounds.Sum(t.Shared, d.Size)
		return true
	}
	t.seen[d.Key()] = true
	t.Distinct = bounds.Sum(t.Distinct, d.Size)
	if t.backup.needsBase(blob) {
		t.Left, t.LeftBlobs = bounds.Sum(t.Left, d.Size), t.LeftBlobs+1
	}
	return true
}

// addPart counts a manifest or a blob, and reports whether it has to come.
func (t *counter) addPart(d content.Descriptor) bool {
	if t.seen[d.Key()] {
		t.Shared = bounds.Sum(t.Shared, d.Size)
		return false
	}
	t.seen[d.Key()] = true
	t.Distinct = bounds.Sum(t.Distinct, d.Size)
	t.Parts++
	if t.out.There != nil {
		if size, err := t.out.There.Stat(d.Digest); err == nil && size == d.Size {
			t.There = bounds.Sum(t.There, d.Size)
			return false
		}
	}
	t.New++
	return true
}

// addBlob counts the requests and the bytes of a blob that has to come; one that is
// inline came with a manifest.
func (t *counter) addBlob(b *graph.Blob) {
	switch {
	case t.backup.planner.IsInline(b):
	case t.backup.planner.IsNear(b):
		t.Near = bounds.Sum(t.Near, b.Size)
	default:
		t.Transfer = bounds.Sum(t.Transfer, b.Size)
		if b.Size > 0 {
			t.Transfers++
		}
		t.Requests += t.pieces(b.Size)
	}
}

// pieces returns the number of requests that fetch a blob.
func (t *counter) pieces(size int64) int {
	o := fetch.Options{Budget: t.backup.Buffer}
	if size == 0 {
		return 0
	}
	if t.out.Directory && size <= largeBlob {
		return 1
	}
	return o.Pieces(size)
}

// outlookOf predicts the outcome of a backup for an artifact.
func (b *backup) outlookOf(a *plan.Artifact, out Output) engine.Outlook {
	o := engine.Outlook{Reference: a.Selected(), Name: a.Name, Mirror: a.Mirror(), Digest: a.Root.Digest, MediaType: a.Root.MediaType, From: a.From, Repo: a.Repo(), SignedBy: a.SignedBy(), Err: a.Err, State: engine.StateFailed}
	if a.Err != nil {
		return o
	}
	if a.Visit.IsSparse() {
		o.Platforms = a.Platforms()
	}
	o.Size = a.Report().Bytes
	o.Err = a.Visit.Referring(func(v *graph.Visit, _ string) { o.Referrers = append(o.Referrers, v.Node.Digest) })
	slices.Sort(o.Referrers)
	o.Referrers = slices.Compact(o.Referrers)
	o.Subjects = a.Visit.Subjects()
	if o.Err = cmp.Or(o.Err, a.Unpinned()); o.Err != nil {
		o.State = engine.StateFailed
		return o
	}
	o.State = engine.StateNew
	if out.There != nil {
		o.State = b.stateOf(a, out)
	}
	return o
}

// stateOf compares an artifact with a layout. A directory keeps the content that it has in
// addition, an archive is replaced.
func (b *backup) stateOf(a *plan.Artifact, out Output) engine.State {
	e, ok := out.There.Index().Lookup(a.Name)
	switch {
	case !ok:
		return engine.StateNew
	case e.Digest != a.Root.Digest, !out.Directory && narrows(a, e):
		return engine.StateChanged
	}
	state := engine.StateUnchanged
	missing := func(d content.Descriptor) {
		if size, err := out.There.Stat(d.Digest); err != nil || size != d.Size {
			state = engine.StateChanged
		}
	}
	a.Visit.All(func(v *graph.Visit) {
		missing(v.Node.Descriptor)
		for _, blob := range v.Blobs() {
			if !b.isInBase(blob.Descriptor) {
				missing(blob.Descriptor)
			}
		}
	})
	return state
}

// narrows reports whether less is selected of an artifact than an entry has.
func narrows(a *plan.Artifact, e oci.Entry) bool {
	platforms := ""
	if a.Visit.IsSparse() {
		platforms = scope.PlatformNames(a.Platforms())
	}
	return platforms != "" && platforms != e.Platforms || !a.Scope.Referrers && e.Referrers == oci.ReferrersAll
}
