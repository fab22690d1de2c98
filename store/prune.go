package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// PruneOptions select what Prune keeps. Keep is required.
type PruneOptions struct {
	// Keep reports whether to keep the entry with a name.
	Keep   func(name string) bool
	DryRun bool // remove nothing
	// ListBlobs asks for Pruned.Gone.
	ListBlobs bool
	// Prepare changes an index that was read, unless it is a dry run. It may be nil.
	Prepare func(*oci.Index)
	// Grace is the time between the run that finds a blob of a bucket unreferenced and the one
	// that removes it; 0 means 24 hours. A directory needs none: it has one writer.
	Grace time.Duration
	Now   func() time.Time // nil means time.Now

	run  string // names the run; random
	jobs int    // requests side by side; 0 means as many as are good. Tests have one after the other
}

// Pruned counts what was removed, or would be.
type Pruned struct {
	Entries   []oci.Entry // with a name, in the order of index.json
	Referrers int         // entries without a name
	Blobs     int         // files, including manifests
	Bytes     int64       // of the blobs
	Gone      []SizedBlob // the blobs, sorted by digest; nil without PruneOptions.ListBlobs
	Unnamed   int         // entries kept because they have neither a name nor a subject

	Waiting      int       // blobs of a bucket that a later run removes
	WaitingBytes int64     // of these
	Until        time.Time // when it may

	Uploads int // unfinished uploads into a bucket that were aborted
}

// SizedBlob is a manifest or blob with its size in bytes.
type SizedBlob struct {
	Digest digest.Digest
	Size   int64
}

// blobsOf returns some blobs of a layout with their sizes, sorted by digest.
func blobsOf(l Layout, digests []digest.Digest) []SizedBlob {
	blobs := make([]SizedBlob, 0, len(digests))
	for _, d := range digests {
		if size, err := l.Stat(d); err == nil {
			blobs = append(blobs, SizedBlob{d, size})
		}
	}
	slices.SortFunc(blobs, func(a, b SizedBlob) int { return cmp.Compare(a.Digest, b.Digest) })
	return blobs
}

// PruneError reports that nothing was removed because a manifest cannot be read: what it
// references is unknown.
type PruneError struct {
	Digest digest.Digest
	Err    error
}

func (e *PruneError) Error() string {
	return fmt.Sprintf("nothing is removed: cannot tell what %s references: %v", e.Digest, e.Err)
}

func (e *PruneError) Unwrap() error { return e.Err }

// OpenLayoutDir is OpenDir for a directory that must be a layout already.
func OpenLayoutDir(path string) (*Dir, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &InputError{Path: path, Reason: "does not exist", Err: err}
	case err != nil:
		return nil, &InputError{Path: path, Reason: reasonOf(err), Err: err}
	case !info.IsDir():
		return nil, &InputError{Path: path, Reason: "not a directory"}
	case !exists(filepath.Join(path, bundle.LayoutFile)):
		return nil, &InputError{Path: path, Reason: "directory without an OCI layout"}
	case !exists(filepath.Join(path, bundle.IndexFile)): // which of its blobs are needed is unknown
		return nil, inputError(path, errNoIndex)
	}
	return OpenDir(path)
}

// Prune removes the entries that are not kept, the referrers whose subject is then in no
// graph, and the blobs that nothing references. It replaces index.json first, atomically:
// however the process ends, everything that index.json references is present.
func (d *Dir) Prune(ctx context.Context, o PruneOptions) (*Pruned, error) {
	if !o.DryRun && o.Prepare != nil {
		o.Prepare(d.index)
	}
	p, err := newPruner(ctx, d, o)
	if err != nil {
		return nil, err
	}
	result, gone := p.result()
	if o.ListBlobs {
		result.Gone = blobsOf(d, gone)
	}
	if o.DryRun || len(gone) == 0 && !p.dropsEntries(result) {
		return result, nil
	}
	if p.dropsEntries(result) {
		d.index.Retain(func(e oci.Entry) bool { return p.retained[e.Key()] })
		if err := d.Commit(ctx); err != nil {
			return nil, err
		}
	}
	return result, d.remove(ctx, gone)
}

// remove deletes unreferenced blobs.
func (d *Dir) remove(ctx context.Context, gone []digest.Digest) error {
	for _, g := range gone {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := os.Remove(d.blobPath(g)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// listedLayout is a Layout that lists its blobs.
type listedLayout interface {
	Layout
	lister
}

// pruner determines what stays.
type pruner struct {
	PruneOptions
	layout        listedLayout
	verifier      *verify.Verifier // walks the entries that stay
	retained      map[oci.Key]bool
	pending       []dependentEntry
	referrerLists map[oci.Key]int // sizes of the lists of referrers that Keep does not keep
	unnamed       int
}

// dependentEntry is an entry that stays if its subject stays.
type dependentEntry struct {
	entry   oci.Entry
	subject digest.Digest
}

// newPruner walks the entries that stay.
func newPruner(ctx context.Context, l listedLayout, o PruneOptions) (*pruner, error) {
	p := &pruner{PruneOptions: o, layout: l, verifier: verify.New(ctx, layoutSource{l}, &oci.Index{}, verify.Options{Jobs: o.jobs}), retained: make(map[oci.Key]bool), referrerLists: make(map[oci.Key]int)}
	p.verifier.Delta, _ = ReadDelta(l) // with a damaged list more counts as left to the base
	if err := p.sortEntries(); err != nil {
		return nil, err
	}
	return p, p.retainDependents()
}

// dropsEntries reports whether index.json changes.
func (p *pruner) dropsEntries(result *Pruned) bool {
	return len(result.Entries)+result.Referrers+len(p.referrerLists) > 0
}

// sortEntries separates the entries that stay from those that depend on others.
func (p *pruner) sortEntries() error {
	for _, e := range p.layout.Index().Entries {
		if e.Name == "" {
			if err := p.sortNameless(e); err != nil {
				return err
			}
			continue
		}
		if p.Keep(e.Name) {
			p.retain(e)
		} else if subject, ok := p.subjectOf(e); ok {
			p.pending = append(p.pending, dependentEntry{e, subject})
		}
	}
	return nil
}

// subjectOf returns the subject of an entry that has a name but is no artifact.
func (p *pruner) subjectOf(e oci.Entry) (subject digest.Digest, ok bool) {
	if members, is := oci.ReferrersList(e, layoutSource{p.layout}.Manifest); is {
		p.referrerLists[e.Key()] = len(members)
		if len(members) > 0 {
			return members[0].Subject, true
		}
		return "", false
	}
	return e.AttachedTo()
}

// sortNameless keeps an entry that is not a referrer: another tool wrote it, and its
// purpose is unknown.
func (p *pruner) sortNameless(e oci.Entry) error {
	data, err := ReadManifest(p.layout, e.Descriptor())
	if err != nil {
		return &PruneError{Digest: e.Digest, Err: err}
	}
	m, err := oci.ParseManifest(e.Descriptor(), data)
	if err != nil {
		return &PruneError{Digest: e.Digest, Err: err}
	}
	if m.Subject != nil {
		p.pending = append(p.pending, dependentEntry{e, m.Subject.Digest})
		return nil
	}
	p.unnamed++
	p.retain(e)
	return nil
}

func (p *pruner) retain(e oci.Entry) {
	p.retained[e.Key()] = true
	p.verifier.Index.Entries = append(p.verifier.Index.Entries, e)
}

// retainDependents walks what stays, then the dependents of that, until no more are added.
func (p *pruner) retainDependents() error {
	if err := p.verifier.Walk(); err != nil {
		return err
	}
	for added := true; added; {
		added = false
		var failed error
		p.pending = slices.DeleteFunc(p.pending, func(d dependentEntry) bool {
			if n := p.verifier.Reached[d.subject]; n == nil || !n.Manifest || failed != nil {
				return false
			}
			p.retained[d.entry.Key()], added = true, true
			failed = p.verifier.Visit(&d.entry)
			return true
		})
		if failed != nil {
			return failed
		}
	}
	if d, err := p.verifier.AnyFault(); err != nil {
		return &PruneError{Digest: d, Err: err}
	}
	return p.verifier.Ended()
}

// result returns what goes.
func (p *pruner) result() (*Pruned, []digest.Digest) {
	result := &Pruned{Unnamed: p.unnamed}
	for _, e := range p.layout.Index().Entries {
		listed, isList := p.referrerLists[e.Key()]
		switch {
		case p.retained[e.Key()]:
		case e.Name == "":
			result.Referrers++
		case isList:
			result.Referrers += listed
		default:
			result.Entries = append(result.Entries, e)
		}
	}
	var gone []digest.Digest
	lists := p.layout.Index().DeltaLists()
	for g := range p.layout.blobs() {
		if p.verifier.Reached[g] != nil || slices.Contains(lists, g) {
			continue
		}
		if size, err := p.layout.Stat(g); err == nil {
			gone = append(gone, g)
			result.Blobs++
			result.Bytes += size
		}
	}
	slices.Sort(gone)
	return result, gone
}
