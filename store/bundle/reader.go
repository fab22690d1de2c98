package bundle

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"iter"
)

// Reader reads the entries of an archive at random. It is safe for concurrent use.
type Reader struct {
	r         io.ReaderAt
	size      int64
	members   bool
	table     bool // the directory is from the table
	directory directory
}

// Open opens an archive of size bytes: one in members of this package by the table at its
// end, in two reads of it, or by walking the members if it has no table; a plain tar by its
// headers. The error is ErrForeign, ErrNotArchive, a *FormatError, or an error of r.
//
// Open checks that the table is consistent; opening an entry verifies that entry. Only a
// Stream detects a table that leaves an entry out.
func Open(r io.ReaderAt, size int64) (*Reader, error) {
	a := &Reader{r: r, size: size, members: true}
	tableErr := a.openTable()
	if a.table = tableErr == nil; a.table {
		return a, nil // only a bundle has a table: its start need not be read
	}
	if _, damaged := errors.AsType[*FormatError](tableErr); !damaged && !errors.Is(tableErr, errNoTable) {
		return nil, tableErr
	}
	open, err := a.opener()
	switch {
	case err != nil:
		return nil, err
	case a.members && !errors.Is(tableErr, errNoTable):
		return nil, tableErr
	}
	if err := open(); err != nil {
		return nil, err
	}
	return a, nil
}

// opener chooses how to read an archive without a table, by its first bytes.
func (a *Reader) opener() (func() error, error) {
	head := make([]byte, min(a.size, tarBlock))
	if err := readAt(a.r, head, 0); err != nil {
		return nil, err
	}
	a.members = isMember(head)
	switch {
	case a.members:
		return a.walk, nil
	case bytes.HasPrefix(head, magicGzip), bytes.HasPrefix(head, magicZstd):
		return nil, ErrForeign
	}
	return a.openTar, checkTar(head)
}

// HasTable reports whether the entries are known from a table.
func (a *Reader) HasTable() bool { return a.table }

// Span returns where the last entry of a name begins and ends in the file.
func (a *Reader) Span(name string) (begin, end int64, ok bool) {
	p, ok := a.directory.find(name)
	switch {
	case !ok:
		return 0, 0, false
	case a.members:
		return p.offset, a.endOf(p.offset), true
	}
	return p.offset, p.offset + p.size, true
}

// ShareHead frees the memory for the entries with which another archive begins, too. It
// precedes all other calls.
func (a *Reader) ShareHead(with *Reader) {
	if with.directory.head == nil && a.members == with.members {
		a.directory = a.directory.share(&with.directory)
	}
}

// Copies returns the number of entries with a name.
func (a *Reader) Copies(name string) (n int) {
	for {
		if _, ok := a.directory.findOlder(name, n); !ok {
			return n
		}
		n++
	}
}

// Entries iterates over the names and the offsets of all entries in file order. If a name
// comes twice the later entry counts.
func (a *Reader) Entries() iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		for p, d := range a.directory.each() {
			if !yield(keyName(d.key(p)), p.offset) {
				return
			}
		}
	}
}

// Pieces iterates over the names of the pieces of blobs.
func (a *Reader) Pieces() iter.Seq[string] {
	return func(yield func(string) bool) {
		for p, d := range a.directory.each() {
			if key := d.key(p); names[key[0]].piece && !yield(keyName(key)) {
				return
			}
		}
	}
}

// Stat returns the size of an entry's content, or fs.ErrNotExist. It reads and checks only
// the entry's header.
func (a *Reader) Stat(name string) (int64, error) { return a.StatOlder(name, 0) }

// StatOlder is Stat, but skips the last skip entries of the name.
func (a *Reader) StatOlder(name string, skip int) (int64, error) {
	p, ok := a.directory.findOlder(name, skip)
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
		err = damaged(p.offset, "expected the entry %s", name)
	}
	return h.size, err
}

// Open opens the last entry of a name for reading, or returns fs.ErrNotExist.
func (a *Reader) Open(name string) (*Entry, error) { return a.OpenOlder(name, 0) }

// OpenOlder is Open, but skips the last skip entries of the name.
func (a *Reader) OpenOlder(name string, skip int) (*Entry, error) {
	p, ok := a.directory.findOlder(name, skip)
	switch {
	case !ok:
		return nil, fs.ErrNotExist
	case a.members:
		return openEntry(sequenceOf(a.r, p.offset, a.endOf(p.offset)), a.size, name, p.offset)
	}
	sequence := sequenceOf(a.r, p.offset, p.offset+p.size)
	return &Entry{size: p.size, source: io.NewSectionReader(sequence, p.offset, p.size), sequence: sequence}, nil
}

// errNoTable reports an archive without a table at its end.
var errNoTable = errors.New("no table")

// openTable reads the table, or returns errNoTable.
func (a *Reader) openTable() error {
	t, err := openTable(a.r, a.size)
	if err != nil {
		return err
	}
	if t == nil {
		return errNoTable
	}
	defer t.close()
	// A table takes the file at least a record's bytes for each.
	a.directory = newDirectory(int(min(int64(t.want), (t.end-t.begin)/(1+offsetLength))))
	return t.each(func(r record) error {
		return a.directory.add(r.key, r.offset, -1)
	})
}
