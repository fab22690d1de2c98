package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// PruneOptions say what stays. Keep is mandatory.
type PruneOptions struct {
	// Keep tells whether the entry of that name stays.
	Keep   func(name string) bool
	DryRun bool // nothing is removed
}

// Pruned is what was removed, or would be.
type Pruned struct {
	Entries   []Entry // with a name, in the order of index.json
	Referrers int     // without
	Blobs     int     // files, with the manifests of the entries
	Bytes     int64   // that these have
	Unnamed   int     // entries that stay because they have neither a name nor a subject
}

// PruneError says why nothing was removed: as long as a manifest cannot be read,
// nobody knows what it needs.
type PruneError struct {
	Digest digest.Digest
	Err    error
}

func (e *PruneError) Error() string {
	return fmt.Sprintf("nothing is removed: cannot tell what %s references: %v", e.Digest, e.Err)
}

func (e *PruneError) Unwrap() error { return e.Err }

// OpenLayoutDir is OpenDir for a directory that has to be a layout already.
func OpenLayoutDir(path string) (*Dir, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &InputError{Path: path, Reason: "does not exist", Err: err}
	case err != nil:
		return nil, &InputError{Path: path, Reason: reasonOf(err), Err: err}
	case !info.IsDir():
		return nil, &InputError{Path: path, Reason: "is not a directory"}
	case !exists(filepath.Join(path, bundle.LayoutFile)):
		return nil, &InputError{Path: path, Reason: "is a directory without an OCI layout"}
	case !exists(filepath.Join(path, bundle.IndexFile)): // it is not known which of its blobs are needed
		return nil, inputError(path, errNoIndex)
	}
	return OpenDir(path)
}

// Prune removes the entries that are not kept, the referrers whose subject then is
// in no graph any more, and the blobs that nothing reaches. index.json changes
// first, and all at once: whatever ends the process, what index.json names is there.
func (d *Dir) Prune(ctx context.Context, o PruneOptions) (*Pruned, error) {
	p := &pruner{PruneOptions: o, dir: d, verifier: newVerifier(ctx, layoutSource{d}, &Index{}, VerifyOptions{}), retained: make(map[key]bool), referrerLists: make(map[key]int)}
	if err := p.sortEntries(); err != nil {
		return nil, err
	}
	if err := p.retainDependents(); err != nil {
		return nil, err
	}
	result, gone := p.result()
	if o.DryRun || len(gone) == 0 && len(result.Entries) == 0 && result.Referrers == 0 && len(p.referrerLists) == 0 {
		return result, nil
	}
	if len(result.Entries)+result.Referrers+len(p.referrerLists) > 0 {
		d.index.retain(func(e Entry) bool { return p.retained[e.key()] })
		if err := d.Commit(ctx); err != nil {
			return nil, err
		}
	}
	return result, d.remove(ctx, gone)
}

// remove deletes blobs that nothing reaches.
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

// pruner finds out what stays.
type pruner struct {
	PruneOptions
	dir           *Dir
	verifier      *verifier // knows what the entries that stay reach
	retained      map[key]bool
	pending       []dependentEntry
	referrerLists map[key]int // lists of referrers that are not kept by name, and how many each names
	unnamed       int
}

// dependent is an entry that stays if its subject does.
type dependentEntry struct {
	entry   Entry
	subject digest.Digest
}

// choose sorts the entries into those that stay and those that depend on others.
func (p *pruner) sortEntries() error {
	for _, e := range p.dir.index.Entries {
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

// belongsTo tells what an entry stays with that has a name but is no artifact.
func (p *pruner) subjectOf(e Entry) (subject digest.Digest, ok bool) {
	if members, is := ReferrersList(e, p.verifier.source.manifest); is {
		p.referrerLists[e.key()] = len(members)
		if len(members) > 0 {
			return members[0].Subject, true
		}
		return "", false
	}
	return e.AttachedTo()
}

// chooseNameless keeps what is no referrer: another tool wrote it, and nothing
// says what it is there for.
func (p *pruner) sortNameless(e Entry) error {
	data, err := ReadManifest(p.dir, e.Descriptor())
	if err != nil {
		return &PruneError{Digest: e.Digest, Err: err}
	}
	_, subject, err := Successors(e.Descriptor(), data)
	if err != nil {
		return &PruneError{Digest: e.Digest, Err: err}
	}
	if subject != nil {
		p.pending = append(p.pending, dependentEntry{e, subject.Digest})
		return nil
	}
	p.unnamed++
	p.retain(e)
	return nil
}

func (p *pruner) retain(e Entry) {
	p.retained[e.key()] = true
	p.verifier.index.Entries = append(p.verifier.index.Entries, e)
}

// follow walks what stays, and what depends on it, until nothing is added.
func (p *pruner) retainDependents() error {
	if err := p.verifier.walk(); err != nil {
		return err
	}
	for added := true; added; {
		added = false
		var failed error
		p.pending = slices.DeleteFunc(p.pending, func(d dependentEntry) bool {
			if n := p.verifier.reached[d.subject]; n == nil || !n.manifest || failed != nil {
				return false
			}
			p.retained[d.entry.key()], added = true, true
			failed = p.verifier.visit(&d.entry)
			return true
		})
		if failed != nil {
			return failed
		}
	}
	for c, err := range p.verifier.faulty {
		return &PruneError{Digest: c.digest, Err: err}
	}
	return errors.Join(context.Cause(p.verifier.ctx), p.verifier.fatal)
}

// result tells what goes.
func (p *pruner) result() (*Pruned, []digest.Digest) {
	result := &Pruned{Unnamed: p.unnamed}
	for _, e := range p.dir.index.Entries {
		listed, isList := p.referrerLists[e.key()]
		switch {
		case p.retained[e.key()]:
		case e.Name == "":
			result.Referrers++
		case isList:
			result.Referrers += listed
		default:
			result.Entries = append(result.Entries, e)
		}
	}
	var gone []digest.Digest
	for g := range p.dir.blobs() {
		if p.verifier.reached[g] != nil {
			continue
		}
		if size, err := p.dir.Stat(g); err == nil {
			gone = append(gone, g)
			result.Blobs++
			result.Bytes += size
		}
	}
	return result, gone
}
