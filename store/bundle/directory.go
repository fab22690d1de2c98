package bundle

import (
	"cmp"
	"hash/maphash"
	"iter"
	"slices"
)

// directory holds the offsets of the entries of an archive. It has room for millions of
// them: they take about 100 bytes each, and none is a pointer.
type directory struct {
	seed   maphash.Seed
	keys   []byte // concatenated
	places []place
	newest map[uint64]int32 // by the hash of the key

	// The first entries may be kept by the directory of another archive that begins alike.
	head   *directory
	shared int // entries of head
}

// place is the position of an entry.
type place struct {
	offset int64  // of a plain tar its content, of members the first
	size   int64  // of the content; -1 where only the entry's header tells
	key    uint32 // in keys
	length uint16 // of the key
	older  int32  // the entry before this one whose key has the same hash, or -1
}

func newDirectory(entries int) directory {
	return directory{
		seed:   maphash.MakeSeed(),
		places: make([]place, 0, entries),
		newest: make(map[uint64]int32, entries),
	}
}

// add appends an entry. It copies the key.
func (d *directory) add(key []byte, offset, size int64) error {
	if err := tooMany(len(d.places), offset); err != nil {
		return err
	}
	hash := maphash.Bytes(d.seed, key)
	older, ok := d.newest[hash]
	if !ok {
		older = -1
	}
	d.newest[hash] = int32(len(d.places))
	d.places = append(d.places, place{offset, size, uint32(len(d.keys)), uint16(len(key)), older})
	d.keys = append(d.keys, key...)
	return nil
}

// find returns the last entry of a name.
func (d *directory) find(name string) (place, bool) { return d.findOlder(name, 0) }

// findOlder is find, but skips the last skip entries of the name.
func (d *directory) findOlder(name string, skip int) (place, bool) {
	var scratch [1 + maxName]byte
	key := appendKey(scratch[:0], name)
	p, skipped, ok := d.search(key, len(d.places), skip)
	if !ok && d.head != nil {
		p, _, ok = d.head.search(key, d.shared, skip-skipped)
	}
	return p, ok
}

// search finds a key among the first entries. If it is not there, skipped tells how many that
// are to be skipped were.
func (d *directory) search(key []byte, entries, skip int) (p place, skipped int, ok bool) {
	at, ok := d.newest[maphash.Bytes(d.seed, key)]
	for ok && at >= 0 {
		p := d.places[at]
		if int(at) < entries && string(d.key(p)) == string(key) {
			if skipped == skip {
				return p, skipped, true
			}
			skipped++
		}
		at = p.older
	}
	return place{}, skipped, false
}

// each iterates over all entries in file order, with the directory that has the key of each.
func (d *directory) each() iter.Seq2[place, *directory] {
	return func(yield func(place, *directory) bool) {
		if d.head != nil {
			for _, p := range d.head.places[:d.shared] {
				if !yield(p, d.head) {
					return
				}
			}
		}
		for _, p := range d.places {
			if !yield(p, d) {
				return
			}
		}
	}
}

// share returns a directory of the same entries that leaves those to head which begin the
// archive in both.
func (d *directory) share(head *directory) directory {
	n := 0
	for n < len(d.places) && n < len(head.places) && d.isSame(head, n) {
		n++
	}
	own := newDirectory(len(d.places) - n)
	own.head, own.shared = head, n
	for _, p := range d.places[n:] {
		_ = own.add(d.key(p), p.offset, p.size) // there are fewer than before
	}
	return own
}

func (d *directory) isSame(other *directory, n int) bool {
	a, b := d.places[n], other.places[n]
	return a.offset == b.offset && a.size == b.size && string(d.key(a)) == string(other.key(b))
}

// after returns where the entry after the one at offset begins; ok is false for the last.
func (d *directory) after(offset int64) (next int64, ok bool) {
	first := d.places
	if d.head != nil && (len(d.places) == 0 || offset < d.places[0].offset) {
		first = d.head.places[:d.shared]
	}
	at, _ := slices.BinarySearchFunc(first, offset+1, func(p place, offset int64) int { return cmp.Compare(p.offset, offset) })
	switch {
	case at < len(first):
		return first[at].offset, true
	case len(d.places) > 0 && offset < d.places[0].offset:
		return d.places[0].offset, true
	}
	return 0, false
}

func (d *directory) key(p place) []byte {
	return d.keys[p.key : p.key+uint32(p.length)]
}
