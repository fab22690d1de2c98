package store

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"
)

// Index is what index.json lists. Lookup and Put may be called concurrently;
// Entries is for reading while nobody puts.
type Index struct {
	Entries     []Entry
	Annotations map[string]string

	foreign map[string]json.RawMessage // what another tool wrote beside them
	memory  int64                      // that was counted for it

	mu         sync.Mutex    // guards all of it against Put
	positions  map[key]int32 // where an entry stands; nil until asked for
	indexed    int           // the length of Entries that at knows
	duplicates map[key]bool  // those that a foreign tool wrote more than once
}

// key is what an entry replaces: another of its name or, nameless, another
// nameless one of its digest.
type key struct {
	name   string
	digest digest.Digest
}

func (e *Entry) key() key {
	if e.Name != "" {
		return key{name: e.Name}
	}
	return key{digest: e.Digest}
}

// Lookup returns the entry of that name.
func (x *Index) Lookup(name string) (Entry, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if at, ok := x.find(key{name: name}); ok && name != "" {
		return x.Entries[at], true
	}
	return Entry{}, false
}

// Put adds e, in place of the entry of its name. A nameless one takes the place
// of the nameless one of its digest, and belongs to the repositories of both.
func (x *Index) Put(e Entry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	e.Repositories = sortedSet(e.Repositories)
	k := e.key()
	at, ok := x.find(k)
	if !ok {
		x.positions[k] = int32(len(x.Entries))
		x.Entries = append(x.Entries, e)
		x.indexed++
		return
	}
	if e.Name == "" {
		e.Repositories = mergeRepositories(x.Entries[at].Repositories, e.Repositories)
	}
	x.Entries[at] = e
	if x.duplicates[k] {
		x.dropDuplicates(k, at)
	}
}

// unite returns the repositories of either. None means wherever the subject
// goes, which no list can add to.
func mergeRepositories(a, b []string) []string {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	return sortedSet(slices.Concat(a, b))
}

// find returns where the entry of that key stands; where there are two, the
// later one.
func (x *Index) find(k key) (int, bool) {
	if x.positions == nil || x.indexed != len(x.Entries) {
		x.indexEntries()
	}
	at, ok := x.positions[k]
	return int(at), ok
}

func (x *Index) indexEntries() {
	x.positions = make(map[key]int32, len(x.Entries))
	x.indexed = len(x.Entries)
	x.duplicates = nil
	for i := range x.Entries {
		k := x.Entries[i].key()
		if _, ok := x.positions[k]; ok {
			if x.duplicates == nil {
				x.duplicates = make(map[key]bool)
			}
			x.duplicates[k] = true
		}
		x.positions[k] = int32(i)
	}
}

func (x *Index) dropDuplicates(k key, keep int) {
	kept := x.Entries[:0]
	for i, e := range x.Entries {
		if i == keep || e.key() != k {
			kept = append(kept, e)
		}
	}
	x.Entries = kept
	x.positions = nil
}

// snapshot returns x as it is now, apart from what is put later.
func (x *Index) snapshot() *Index {
	x.mu.Lock()
	defer x.mu.Unlock()
	return &Index{
		Entries:     slices.Clone(x.Entries),
		Annotations: maps.Clone(x.Annotations),
		foreign:     x.foreign,
	}
}
