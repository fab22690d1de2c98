// Package oci reads and writes the documents of an OCI image layout: index.json with its entries,
// and the manifests that they name. It knows what a manifest references, which entries another
// tool means, and how two indexes become one. It opens no file.
package oci

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
	positions  map[Key]int32           // of the entries; nil until needed
	indexed    int                     // the length of Entries when positions was built
	duplicates map[Key]bool            // keys that another tool wrote more than once
	own        map[Key]bool            // keys of Put; nil if they are not tracked
	digests    map[digest.Digest]int32 // where the entries that were read are; nil if they are not tracked
}

// Key identifies the entry that a new one replaces: by name or, without a name, by digest.
type Key struct {
	name   string
	digest digest.Digest
}

// Key returns the key of the entry.
func (e *Entry) Key() Key {
	if e.Name != "" {
		return Key{name: e.Name}
	}
	return Key{digest: e.Digest}
}

// Lookup returns the entry with a name.
func (x *Index) Lookup(name string) (Entry, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if at, ok := x.find(Key{name: name}); ok && name != "" {
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
	k := e.Key()
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
func (x *Index) find(k Key) (int, bool) {
	if x.positions == nil || x.indexed != len(x.Entries) {
		x.indexEntries()
	}
	at, ok := x.positions[k]
	return int(at), ok
}

func (x *Index) indexEntries() {
	x.positions = make(map[Key]int32, len(x.Entries))
	x.indexed = len(x.Entries)
	x.duplicates = nil
	for i := range x.Entries {
		k := x.Entries[i].Key()
		if _, ok := x.positions[k]; ok {
			if x.duplicates == nil {
				x.duplicates = make(map[Key]bool)
			}
			x.duplicates[k] = true
		}
		x.positions[k] = int32(i)
	}
}

func (x *Index) dropDuplicates(k Key, keep int) {
	kept := x.Entries[:0]
	for i, e := range x.Entries {
		if i == keep || e.Key() != k {
			kept = append(kept, e)
		}
	}
	x.Entries = kept
	x.positions = nil
}

// Snapshot returns a copy of x that later changes do not affect.
func (x *Index) Snapshot() *Index {
	x.mu.Lock()
	defer x.mu.Unlock()
	return &Index{
		Entries:     slices.Clone(x.Entries),
		Annotations: maps.Clone(x.Annotations),
		foreign:     x.foreign,
	}
}
