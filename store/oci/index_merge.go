package oci

import (
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// TrackOwn makes x remember which entries it has, and which Put adds from now on.
func (x *Index) TrackOwn() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.own, x.digests = make(map[Key]bool), nil
	if bounds.Take(int64(len(x.Entries))*digestMemory) != nil {
		return // it would be an advantage, and no more
	}
	x.memory += int64(len(x.Entries)) * digestMemory
	x.digests = make(map[digest.Digest]int32, len(x.Entries))
	for i := range x.Entries {
		if at, met := x.digests[x.Entries[i].Digest]; !met || x.Entries[at].Subject == "" {
			x.digests[x.Entries[i].Digest] = int32(i)
		}
	}
}

// digestMemory is the memory of an entry in a map of digests.
const digestMemory = 48

// Recorded returns an entry of oras-mirror that was read: one with a subject if there is one.
func (x *Index) Recorded(d digest.Digest) (Entry, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	at, ok := x.digests[d]
	if !ok || int(at) >= len(x.Entries) {
		return Entry{}, false
	}
	e := x.Entries[at]
	return e, e.Digest == d && (e.IsOurs() || e.Subject != "")
}

// Rebase replaces the content of x by that of another writer's index, with the entries that
// were added to x merged into it, name by name. before are the annotations that x began
// with. A list that both writers changed is united.
func (x *Index) Rebase(theirs *Index, before map[string]string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range x.Entries {
		if e := x.Entries[i]; x.own[e.Key()] {
			if at, ok := theirs.find(e.Key()); ok {
				e = mergeEntries(e, theirs.Entries[at])
			}
			theirs.Put(e)
		}
	}
	x.Annotations = mergeAnnotations(before, x.Annotations, theirs.Annotations)
	x.Entries, x.foreign = theirs.Entries, theirs.foreign
	x.positions, x.duplicates, x.digests = nil, nil, nil
	bounds.Give(x.memory)
	x.memory = theirs.memory
}

// mergeEntries returns what two writers together have of a name. If the name moved, ours is
// the later answer of the registry.
func mergeEntries(ours, theirs Entry) Entry {
	if ours.Name == "" || ours.Digest != theirs.Digest {
		return ours
	}
	ours.Platforms = mergePlatforms(ours.Platforms, theirs.Platforms)
	if ours.Referrers != ReferrersIncomplete && theirs.Referrers == ReferrersAll {
		ours.Referrers = theirs.Referrers
	}
	return ours
}

// mergePlatforms returns the union of two selections; an empty one means all platforms.
func mergePlatforms(a, b string) string {
	if a == "" || b == "" {
		return ""
	}
	return strings.Join(sortedSet(slices.Concat(strings.Split(a, ","), strings.Split(b, ","))), ",")
}

// mergeAnnotations returns the annotations that two writers leave who began with the same.
func mergeAnnotations(before, ours, theirs map[string]string) map[string]string {
	merged := maps.Clone(theirs)
	for name := range allKeys(before, ours) {
		switch was, is, other := before[name], ours[name], theirs[name]; {
		case is == was || is == "" && other != was: // theirs counts
		case other == was || other == "":
			merged = setAnnotation(merged, name, is)
		default:
			list := sortedSet(slices.Concat(strings.Split(is, ","), strings.Split(other, ",")))
			merged = setAnnotation(merged, name, strings.Join(list, ","))
		}
	}
	return merged
}

func allKeys(a, b map[string]string) map[string]bool {
	keys := make(map[string]bool)
	for name := range a {
		keys[name] = true
	}
	for name := range b {
		keys[name] = true
	}
	return keys
}

// Annotate sets annotations, and removes those whose value is empty.
func (x *Index) Annotate(values map[string]string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for name, value := range values {
		x.Annotations = setAnnotation(x.Annotations, name, value)
	}
}

// setAnnotation sets a value, or removes it if it is empty.
func setAnnotation(all map[string]string, name, value string) map[string]string {
	if value == "" {
		delete(all, name)
		return all
	}
	if all == nil {
		all = make(map[string]string)
	}
	all[name] = value
	return all
}
