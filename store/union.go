package store

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/delta"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Union is several layouts as one. Index has the entries of all but those that a delta among
// them replaces; a blob comes from the first layout that has it undamaged.
type Union struct {
	inputs []member
	index  *oci.Index
	copies copies
	lacks  *LackingPartsError // why a blob may be missing; nil for another union than of parts
	faults []error            // parts that are missing or left out
	orphan *OrphanError       // a delta without its base beside a layout that is none
}

var (
	_ Layout     = (*Union)(nil)
	_ PartOpener = (*Union)(nil)
	_ lister     = (*Union)(nil)
)

// Member is a layout with the path that the user wrote.
type Member struct {
	Path   string
	Layout Layout
}

// member is one layout of a union.
type member struct {
	Layout
	path     string // as the user wrote it
	replaced bool   // a delta names it as its base
}

// Unite returns several layouts as one; their order decides nothing but which copy of a blob
// is tried first. A delta replaces the base that it names: the base only lends its blobs. The
// others are united by name. A name with two digests is a *ClashError. Closing the union
// closes the layouts; with an error the caller does.
func Unite(all []Member) (*Union, error) {
	u := &Union{inputs: make([]member, len(all))}
	indexes := make([]*oci.Index, len(all))
	for i, m := range all {
		u.inputs[i] = member{Layout: m.Layout, path: m.Path}
		indexes[i] = m.Layout.Index()
	}
	lineage := delta.NewLineage(indexes)
	for i := range u.inputs {
		if u.inputs[i].replaced = lineage.Replaced[i]; lineage.Replaced[i] {
			ForgetIndex(u.inputs[i].Layout)
		}
	}
	var err error
	if u.index, err = u.uniteIndexes(lineage); err != nil {
		return nil, err
	}
	lineage.Annotate(u.index)
	u.findOrphan(lineage, indexes)
	for _, m := range u.inputs {
		ForgetIndex(m.Layout)
	}
	return u, nil
}

// Index returns the united index of the inputs.
func (u *Union) Index() *oci.Index { return u.index }

// ForgetIndex empties the index to free its memory.
func (u *Union) ForgetIndex() {
	u.index.Release()
	u.index = new(oci.Index)
}

// Close closes all layouts.
func (u *Union) Close() error {
	var first error
	for _, m := range u.inputs {
		if err := m.Layout.Close(); first == nil {
			first = err
		}
	}
	return first
}

// Open opens a blob of the first layout that has it undamaged.
func (u *Union) Open(d digest.Digest) (Blob, error) {
	m, err := u.find(d)
	if err != nil {
		return nil, err
	}
	return m.Open(d)
}

// OpenPart opens n bytes of a blob from off on.
func (u *Union) OpenPart(d digest.Digest, off, n int64) (Blob, error) {
	m, err := u.find(d)
	if err != nil {
		return nil, err
	}
	if l, ok := m.Layout.(PartOpener); ok {
		return l.OpenPart(d, off, n)
	}
	blob, err := m.Open(d)
	if err != nil {
		return nil, err
	}
	return cutBlob(blob, off, n)
}

// OpenRandom opens a blob for reading at random.
func (u *Union) OpenRandom(d digest.Digest) (RandomBlob, error) {
	m, err := u.find(d)
	if err != nil {
		return nil, err
	}
	return OpenRandom(m.Layout, d)
}

// OpenWhole opens a blob that is read from its start.
func (u *Union) OpenWhole(d digest.Digest) (RandomBlob, error) {
	m, err := u.find(d)
	if err != nil {
		return nil, err
	}
	return OpenWhole(m.Layout, d)
}

// Stat returns the size of a blob. Only if the layouts have different sizes, some are hashed.
func (u *Union) Stat(d digest.Digest) (int64, error) {
	having, sizes, err := u.having(d)
	if len(having) == 0 {
		return 0, err
	}
	for i, size := range sizes {
		if size != sizes[0] {
			i = u.copies.choose(d, having)
			return sizes[i], nil
		}
	}
	return sizes[0], nil
}

// find returns the layout whose copy of a blob is used.
func (u *Union) find(d digest.Digest) (member, error) {
	having, _, err := u.having(d)
	if len(having) == 0 {
		return member{}, err
	}
	return having[u.copies.choose(d, having)], nil
}

// having returns the layouts that have a blob, and its size in each. If none has it, the
// error says why.
func (u *Union) having(d digest.Digest) (all []member, sizes []int64, err error) {
	err = &fs.PathError{Op: "open", Path: fmt.Sprintf("%.200s", d), Err: fs.ErrNotExist}
	if u.lacks != nil {
		err = u.lacks
	}
	for _, m := range u.inputs {
		size, statErr := m.Stat(d)
		if statErr == nil {
			all, sizes = append(all, m), append(sizes, size)
		} else if _, lacks := errors.AsType[*LackingPartsError](statErr); lacks || !isNotExist(statErr) {
			err = statErr
		}
	}
	return all, sizes, err
}

// blobs lists the blobs of all layouts that can list them.
func (u *Union) blobs() iter.Seq[digest.Digest] {
	return func(yield func(digest.Digest) bool) {
		for _, m := range u.inputs {
			l, ok := m.Layout.(lister)
			if !ok {
				continue
			}
			for d := range l.blobs() {
				if !yield(d) {
					return
				}
			}
		}
	}
}

// readCopies calls read with one layout after the other, until one has a manifest that can be
// read. The error is that of the first layout that has it.
func (u *Union) readCopies(read func(Layout) ([]byte, error)) ([]byte, error) {
	var first error
	for _, m := range u.inputs {
		data, err := read(m.Layout)
		if err == nil {
			return data, nil
		}
		if first == nil || isNotExist(first) && !isNotExist(err) {
			first = err
		}
	}
	return nil, first
}

// findOrphan notes a delta whose base is absent, unless all inputs are deltas.
func (u *Union) findOrphan(l *delta.Lineage, indexes []*oci.Index) {
	isFull := func(x *oci.Index) bool { return !x.IsDelta() }
	if len(l.Absent) > 0 && slices.ContainsFunc(indexes, isFull) {
		base := l.Absent[0]
		u.orphan = &OrphanError{Delta: u.inputs[base.Delta].path, Base: base.Name}
	}
}

// CheckBases returns an *OrphanError if a union has a delta without its base, beside a layout
// that is no delta: together they are neither.
func CheckBases(l Layout) error {
	if u, ok := l.(*Union); ok && u.orphan != nil {
		return u.orphan
	}
	return nil
}
