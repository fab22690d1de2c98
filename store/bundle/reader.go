package bundle

import (
	"bytes"
	"io"
	"io/fs"
	"iter"
)

// Reader reads the entries of an archive at random. It is safe for concurrent use.
type Reader struct {
	r         io.ReaderAt
	size      int64
	members   bool
	directory directory
}

// Open opens an archive of so many bytes: in members of ours, by the table at
// its end in two reads, or without one by walking the members; or a plain tar by
// its headers. ErrForeign, ErrNotArchive, or a *FormatError tell what is wrong.
//
// The table is held against itself here, an entry when it is opened. That the
// table leaves no entry out shows only in a Stream.
func Open(r io.ReaderAt, size int64) (*Reader, error) {
	head := make([]byte, min(size, tarBlock))
	if err := readAt(r, head, 0); err != nil {
		return nil, err
	}
	a := &Reader{r: r, size: size, members: isMember(head)}
	open := a.openTar
	switch {
	case a.members:
		open = a.openMembers
	case bytes.HasPrefix(head, magicGzip), bytes.HasPrefix(head, magicZstd):
		return nil, ErrForeign
	default:
		if err := checkTar(head); err != nil {
			return nil, err
		}
	}
	if err := open(); err != nil {
		return nil, err
	}
	return a, nil
}

// Copies returns how many entries have a name.
func (a *Reader) Copies(name string) (n int) {
	for {
		if _, ok := a.directory.findOlder(name, n); !ok {
			return n
		}
		n++
	}
}

// Entries goes through the names and the offsets of all entries in file order. A
// name may come twice: the later entry counts.
func (a *Reader) Entries() iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		for _, p := range a.directory.places {
			if !yield(keyName(a.directory.key(p)), p.offset) {
				return
			}
		}
	}
}

// Stat returns the size of an entry's content, or fs.ErrNotExist. It reads the
// entry's header, and checks no more than that.
func (a *Reader) Stat(name string) (int64, error) { return a.StatOlder(name, 0) }

// StatOlder is Stat for the entry that stands before so many others of its name.
func (a *Reader) StatOlder(name string, before int) (int64, error) {
	p, ok := a.directory.findOlder(name, before)
	switch {
	case !ok:
		return 0, fs.ErrNotExist
	case p.size >= 0:
		return p.size, nil
	}
	room := rooms.Get().(*room)
	defer rooms.Put(room)
	_, h, err := peekEntry(a.r, a.size, p.offset, room)
	if err == nil && h.name != name {
		err = damaged(p.offset, "%s is not here", name)
	}
	return h.size, err
}

// Open opens the last entry of a name for reading, or returns fs.ErrNotExist.
func (a *Reader) Open(name string) (*Entry, error) { return a.OpenOlder(name, 0) }

// OpenOlder is Open for the entry that stands before so many others of its name.
func (a *Reader) OpenOlder(name string, before int) (*Entry, error) {
	p, ok := a.directory.findOlder(name, before)
	switch {
	case !ok:
		return nil, fs.ErrNotExist
	case a.members:
		return openEntry(a.r, a.size, name, p.offset)
	}
	return &Entry{size: p.size, source: io.NewSectionReader(a.r, p.offset, p.size)}, nil
}

// openMembers reads the table, or walks the members where there is none.
func (a *Reader) openMembers() error {
	t, err := openTable(a.r, a.size)
	if err != nil {
		return err
	}
	if t == nil {
		return a.walk()
	}
	// A table takes the file at least a record's bytes for each.
	a.directory = newDirectory(int(min(int64(t.want), (t.end-t.begin)/(1+offsetLength))))
	return t.each(func(r record) error {
		return a.directory.add(r.key, r.offset, -1)
	})
}
