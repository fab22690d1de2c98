package store

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
)

// maxClashes bounds the clashes that are listed.
const maxClashes = 20

// uniteIndexes returns the entries of the layouts that no delta replaces.
func (u *Union) uniteIndexes(l *lineage) (*Index, error) {
	united := new(Index)
	var clashes []error
	names := uniting{united, make(map[string]uint16), u, l}
	for i := range u.inputs {
		m := &u.inputs[i]
		if m.replaced {
			continue
		}
		x := m.Index()
		united.memory, x.memory = united.memory+x.memory, 0
		for _, e := range x.Entries {
			if err := names.add(e, i); err != nil && len(clashes) < maxClashes {
				clashes = append(clashes, err)
			}
		}
		united.Annotations = uniteAnnotations(united.Annotations, x.Annotations)
		united.keepForeign(x)
	}
	if len(clashes) > 0 {
		united.release()
		return nil, errors.Join(clashes...)
	}
	united.dropMissing()
	united.sort()
	return united, nil
}

// uniting is an index that gets the entries of the inputs.
type uniting struct {
	*Index
	from    map[string]uint16 // the input of each name
	union   *Union
	lineage *lineage
}

// add adds an entry of one input.
func (x *uniting) add(e Entry, input int) error {
	if e.Name == "" {
		x.Put(e)
		return nil
	}
	before, ok := x.Lookup(e.Name)
	if !ok {
		x.from[e.Name] = uint16(input)
		x.Put(e)
		return nil
	}
	first := int(x.from[e.Name])
	switch {
	case before.Digest == e.Digest:
		x.Put(uniteEntries(before, e))
	case first == input: // another tool lists a name twice: the last counts, as in Lookup
		x.Put(e)
	default:
		return x.clash(e.Name, [2]digest.Digest{before.Digest, e.Digest}, first, input)
	}
	return nil
}

func (x *uniting) clash(name string, digests [2]digest.Digest, i, j int) error {
	e := &ClashError{Name: name, Digests: digests, Inputs: [2]string{x.union.inputs[i].path, x.union.inputs[j].path}}
	for _, gap := range x.lineage.gaps(i, j) {
		e.Gaps = append(e.Gaps, &OrphanError{Delta: x.union.inputs[gap.delta].path, Base: gap.name})
	}
	return e
}

// uniteEntries returns what two layouts together have of an artifact.
func uniteEntries(a, b Entry) Entry {
	a.Platforms = mergePlatforms(a.Platforms, b.Platforms)
	a.ArtifactType = cmp.Or(a.ArtifactType, b.ArtifactType)
	for _, value := range []string{ReferrersIncomplete, ReferrersAll, ReferrersNone} {
		if a.Referrers == value || b.Referrers == value {
			a.Referrers = value
			break
		}
	}
	if a.foreign == nil {
		a.foreign = b.foreign
	}
	return a
}

// uniteAnnotations returns the annotations of two layouts. A list in both is united. The mark
// of prune stays where it is.
func uniteAnnotations(a, b map[string]string) map[string]string {
	for name, value := range b {
		if name == AnnotationPruned {
			continue
		}
		if before := a[name]; before != "" && before != value {
			value = strings.Join(sortedSet(slices.Concat(strings.Split(before, ","), strings.Split(value, ","))), ",")
		}
		a = setAnnotation(a, name, value)
	}
	return a
}
