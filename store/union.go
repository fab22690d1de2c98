package store

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"

	"github.com/opencontainers/go-digest"
)

// Union is several layouts as one. Index has the entries of all but those that a delta among
// them replaces; a blob comes from the first layout that has it undamaged.
type Union struct {
	inputs []member
	index  *Index
	copies copies
	lacks  *LackingPartsError // why a blob may be missing; nil for another union than of parts
	faults []error            // parts that are missing or left out
	orphan *OrphanError       // a delta without its base beside a layout that is none
}

// member is one layout of a union.
type member struct {
	Layout
	path     string // as the user wrote it
	replaced bool   // a delta names it as its base
}

// Member is a layout with the path that the user wrote.
type Member struct {
	Path   string
	Layout Layout
}

var (
	_ Layout     = (*Union)(nil)
	_ PartOpener = (*Union)(nil)
	_ lister     = (*Union)(nil)
)

// Unite returns several layouts as one; their order decides nothing but which copy of a blob
// is tried first. A delta replaces the base that it names: the base only lends its blobs. The
// others are united by name. A name with two digests is a *ClashError. Closing the union
// closes the layouts; with an error the caller does.
func Unite(all []Member) (*Union, error) {
	u := &Union{inputs: make([]member, len(all))}
	indexes := make([]*Index, len(all))
	for i, m := range all {
		u.inputs[i] = member{Layout: m.Layout, path: m.Path}
		indexes[i] = m.Layout.Index()
	}
	lineage := newLineage(indexes)
	for i := range u.inputs {
		if u.inputs[i].replaced = lineage.replaced[i]; lineage.replaced[i] {
			ForgetIndex(u.inputs[i].Layout)
		}
	}
	var err error
	if u.index, err = u.uniteIndexes(lineage); err != nil {
		return nil, err
	}
	lineage.annotate(u.index)
	u.findOrphan(lineage, indexes)
	for _, m := range u.inputs {
		ForgetIndex(m.Layout)
	}
	return u, nil
}

// OpenUnion opens several layouts as one. A single one stays what it is. The parts of a bundle
// count as one layout; see Faults.
func OpenUnion(paths []string, open func(path string) (Layout, error)) (Layout, error) {
	all, faults, err := OpenMembers(paths, open)
	if err != nil {
		return nil, err
	}
	if len(all) == 1 {
		return addFaults(all[0].Layout, faults), nil
	}
	u, err := Unite(all)
	if err != nil {
		CloseMembers(all)
		return nil, err
	}
	return addFaults(u, faults), nil
}

// OpenMembers opens several layouts. The parts of a bundle are one of them; what is wrong with
// some of these is in faults.
func OpenMembers(paths []string, open func(path string) (Layout, error)) (all []Member, faults []error, err error) {
	if all, faults, err = openMembers(paths, open); err != nil {
		CloseMembers(all)
		return nil, nil, err
	}
	all, faults = joinParts(all, faults)
	return all, faults, nil
}

// CloseMembers closes layouts that were only read.
func CloseMembers(all []Member) {
	for _, m := range all {
		_ = m.Layout.Close() // it was only read
	}
}

// openMembers opens layouts. If there are parts of a bundle among them, those that cannot be
// read are faults.
func openMembers(paths []string, open func(path string) (Layout, error)) (all []Member, faults []error, err error) {
	parts := false
	for _, path := range paths {
		l, err := open(path)
		if _, unreadable := errors.AsType[*InputError](err); unreadable && !IsTooManyFiles(err) && !IsPassing(err) {
			faults = append(faults, err)
			continue
		}
		if err != nil {
			return all, nil, err
		}
		parts = parts || partOf(l) != nil
		shareHead(all, l)
		all = append(all, Member{path, l})
	}
	if !parts && len(faults) > 0 {
		return all, nil, faults[0]
	}
	return all, faults, nil
}

func (u *Union) Index() *Index { return u.index }

// ForgetIndex empties the index to free its memory.
func (u *Union) ForgetIndex() {
	u.index.release()
	u.index = new(Index)
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
