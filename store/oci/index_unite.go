package oci

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
)

// maxClashes bounds the clashes that are listed.
const maxClashes = 20

// Unite returns the entries of several indexes, in the order of index.json; nil is none. It
// takes their memory over. Where two give a name to different artifacts, it calls clash with the
// numbers of both, and returns the first of these errors.
func Unite(all []*Index, clash func(name string, digests [2]digest.Digest, i, j int) error) (*Index, error) {
	united := &uniting{Index: new(Index), from: make(map[string]uint16), clash: clash}
	for i, x := range all {
		if x != nil {
			united.addAll(x, i)
		}
	}
	if len(united.clashes) > 0 {
		united.Release()
		return nil, errors.Join(united.clashes...)
	}
	united.dropMissing()
	united.sort()
	return united.Index, nil
}

// uniting is an index that gets the entries of others.
type uniting struct {
	*Index
	from    map[string]uint16 // the number of the index that each name is from
	clash   func(name string, digests [2]digest.Digest, i, j int) error
	clashes []error
}

// addAll adds an index.
func (x *uniting) addAll(of *Index, number int) {
	x.memory, of.memory = x.memory+of.memory, 0
	for _, e := range of.Entries {
		if err := x.add(e, number); err != nil && len(x.clashes) < maxClashes {
			x.clashes = append(x.clashes, err)
		}
	}
	x.Annotations = uniteAnnotations(x.Annotations, of.Annotations)
	x.keepForeign(of)
}

// add adds an entry.
func (x *uniting) add(e Entry, number int) error {
	if e.Name == "" {
		x.Put(e)
		return nil
	}
	before, ok := x.Lookup(e.Name)
	if !ok {
		x.from[e.Name] = uint16(number)
		x.Put(e)
		return nil
	}
	first := int(x.from[e.Name])
	switch {
	case before.Digest == e.Digest:
		x.Put(uniteEntries(before, e))
	case first == number: // another tool lists a name twice: the last counts, as in Lookup
		x.Put(e)
	default:
		return x.clash(e.Name, [2]digest.Digest{before.Digest, e.Digest}, first, number)
	}
	return nil
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

// sort puts the entries in the order of index.json.
func (x *Index) sort() {
	sorted := make([]Entry, 0, len(x.Entries))
	for _, i := range x.Order() {
		sorted = append(sorted, x.Entries[i])
	}
	x.Entries, x.positions = sorted, nil
}

// keepForeign keeps the fields that another tool wrote, unless x has some.
func (x *Index) keepForeign(of *Index) {
	if x.foreign == nil {
		x.foreign = of.foreign
	}
}

// dropMissing removes the artifacts that an index lists from those that it says it lacks.
func (x *Index) dropMissing() {
	text := x.Annotations[AnnotationMissing]
	if text == "" {
		return
	}
	left := slices.DeleteFunc(strings.Split(text, ","), func(name string) bool {
		_, has := x.Lookup(name)
		return has
	})
	x.Annotations = setAnnotation(x.Annotations, AnnotationMissing, strings.Join(left, ","))
}
