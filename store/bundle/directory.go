package bundle

import "hash/maphash"

// directory holds the offsets of the entries of an archive. It has room for millions of
// them: they take about 100 bytes each, and none is a pointer.
type directory struct {
	seed   maphash.Seed
	keys   []byte // concatenated
	places []place
	newest map[uint64]int32 // by the hash of the key
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
	at, ok := d.newest[maphash.Bytes(d.seed, key)]
	for ok && at >= 0 {
		p := d.places[at]
		if string(d.key(p)) == string(key) {
			if skip == 0 {
				return p, true
			}
			skip--
		}
		at = p.older
	}
	return place{}, false
}

func (d *directory) key(p place) []byte {
	return d.keys[p.key : p.key+uint32(p.length)]
}
