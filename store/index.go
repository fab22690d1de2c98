package store

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"
)

// Index is the content of index.json. Lookup and Put may be called concurrently; Entries
// must not be read during a Put.
type Index struct {
	Entries     []Entry
	Annotations map[string]string

	foreign map[string]json.RawMessage // other fields, of another tool
	memory  int64                      // accounted for x

	mu         sync.Mutex              // guards all fields
	positions  map[key]int32           // of the entries; nil until needed
	indexed    int                     // the length of Entries when positions was built
	duplicates map[key]bool            // keys that another tool wrote more than once
	own        map[key]bool            // keys of Put; nil if they are not tracked
	digests    map[digest.Digest]int32 // where the entries that were read are; nil if they are not tracked
}

// key identifies the entry that a new one replaces: by name or, without a name, by digest.
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

// Lookup returns the entry with a name.
func (x *Index) Lookup(name string) (Entry, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if at, ok := x.find(key{name: name}); ok && name != "" {
		return x.Entries[at], true
	}
	return Entry{}, false
}

// Put adds e, or replaces the entry with its name. An entry without a name replaces the
// one with its digest, and unites the repositories of both.
func (x *Index) Put(e Entry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	e.Repositories = sortedSet(e.Repositories)
	k := e.key()
	if x.own != nil {
		x.own[k] = true
	}
	at, ok := x.find(k)
	if !ok {
		x.positions[k] = int32(len(x.Entries))
		x.Entries = append(x.Entries, e)
		x.indexed++
		return
	}
	if e.Name == "" {
		e.Repositories = mergeRepositories(x.Entries[at].Repositories, e.Repositories)
		e.Subject = cmp.Or(e.Subject, x.Entries[at].Subject)
	}
	x.Entries[at] = e
	if x.duplicates[k] {
		x.dropDuplicates(k, at)
	}
}

// mergeRepositories returns the union. An empty list means any repository, so the union
// with it is empty too.
func mergeRepositories(a, b []string) []string {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	return sortedSet(slices.Concat(a, b))
}

// find returns the position of the entry with a key; of two, the later one.
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

// snapshot returns a copy of x that later changes do not affect.
func (x *Index) snapshot() *Index {
	x.mu.Lock()
	defer x.mu.Unlock()
	return &Index{
		Entries:     slices.Clone(x.Entries),
		Annotations: maps.Clone(x.Annotations),
		foreign:     x.foreign,
	}
}
