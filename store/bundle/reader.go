package bundle

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"
)

// Reader reads the entries of an archive at random. It is safe for concurrent use.
type Reader struct {
	r       io.ReaderAt
	size    int64
	gzip    bool
	entries []record // in file order
	names   map[string]place
}

// place is where an entry is: of a plain tar its content, of members the first.
type place struct {
	offset int64
	size   int64 // of the content; -1 where only the entry's header tells
}

// Open opens an archive of so many bytes: in members of ours, by the table at
// its end in two reads, or without one by walking the members; or a plain tar by
// its headers. ErrForeign, ErrNotArchive, or a *FormatError tell what is wrong.
func Open(r io.ReaderAt, size int64) (*Reader, error) {
	head := make([]byte, min(size, tarBlock))
	if err := readAt(r, head, 0); err != nil {
		return nil, err
	}
	a := &Reader{r: r, size: size, names: make(map[string]place)}
	switch {
	case isMember(head):
		a.gzip = true
		return a, a.openMembers()
	case bytes.HasPrefix(head, magics[0]), bytes.HasPrefix(head, magics[1]):
		return nil, ErrForeign
	case !isTar(head):
		return nil, ErrNotArchive
	}
	return a, a.openTar()
}

// isTar tells whether a block is the header of a tar, or the end of an empty one.
func isTar(head []byte) bool {
	if len(head) < tarBlock {
		return false
	}
	_, err := tar.NewReader(bytes.NewReader(head[:tarBlock])).Next()
	return err == nil || errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF
}

// Entries goes through the names and the offsets of all entries in file order. A name may come
// twice: the later entry counts.
func (a *Reader) Entries() iter.Seq2[string, int64] {
	return func(yield func(string, int64) bool) {
		for _, e := range a.entries {
			if !yield(e.name, e.offset) {
				return
			}
		}
	}
}

// Stat returns the size of an entry's content, or fs.ErrNotExist.
func (a *Reader) Stat(name string) (int64, error) {
	p, ok := a.names[name]
	if !ok {
		return 0, fs.ErrNotExist
	}
	if p.size >= 0 {
		return p.size, nil
	}
	e, err := a.Open(name)
	if err != nil {
		return 0, err
	}
	return e.Size(), e.Close()
}

// Open opens the last entry of a name for reading, or returns fs.ErrNotExist.
func (a *Reader) Open(name string) (*Entry, error) {
	p, ok := a.names[name]
	switch {
	case !ok:
		return nil, fs.ErrNotExist
	case a.gzip:
		return openEntry(a.r, a.size, name, p.offset)
	}
	return &Entry{size: p.size, source: io.NewSectionReader(a.r, p.offset, p.size)}, nil
}

func (a *Reader) add(name string, p place) error {
	if len(a.entries) >= maxEntries {
		return damaged(p.offset, "more than %d entries", maxEntries)
	}
	a.entries = append(a.entries, record{name, p.offset})
	a.names[name] = p
	return nil
}

func (a *Reader) openMembers() error {
	records, _, ok, err := readTable(a.r, a.size)
	if err != nil {
		return err
	}
	if !ok {
		return a.walk()
	}
	a.entries = make([]record, 0, len(records))
	for _, r := range records {
		if err := a.add(r.name, place{r.offset, -1}); err != nil {
			return err
		}
	}
	return nil
}

// walk goes from entry to entry by the lengths of the members. Only the first
// member of each is inflated, for the tar header in it.
func (a *Reader) walk() error {
	for offset := int64(0); ; {
		first, length, err := readMember(a.r, a.size, offset, nil)
		if err != nil {
			return err
		}
		header, skip, err := parseTar(first, offset)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := a.add(header.Name, place{offset, header.Size}); err != nil {
			return err
		}
		rest := skip + header.Size + padding(header.Size) - int64(len(first))
		for offset += length; rest > 0; offset += length {
			var h memberHeader
			if h, err = memberAt(a.r, a.size, offset); err != nil {
				return err
			}
			length, rest = h.length, rest-int64(h.inflated)
			if h.inflated == 0 {
				return damaged(offset, "the entry %s is cut off", header.Name)
			}
		}
		if rest < 0 {
			return damaged(offset, "the entry %s does not end with its member", header.Name)
		}
	}
}

// parseTar reads the tar header at the start of an entry's first member, and
// tells how long it is. io.EOF is the end of the tar.
func parseTar(data []byte, offset int64) (*tar.Header, int64, error) {
	source := bytes.NewReader(data)
	h, err := tar.NewReader(source).Next()
	if err == io.EOF && len(data) >= tarBlock {
		return nil, 0, io.EOF
	}
	if err != nil {
		return nil, 0, damaged(offset, "no tar header: %v", err)
	}
	if h.Typeflag != tar.TypeReg {
		return nil, 0, damaged(offset, "the entry %q is no regular file", h.Name)
	}
	return h, int64(len(data) - source.Len()), nil
}

// memberAt reads the header of a member that has to lie within the file.
func memberAt(r io.ReaderAt, size, offset int64) (memberHeader, error) {
	var p [headerLength]byte
	if err := readAt(r, p[:], offset); err != nil {
		return memberHeader{}, err
	}
	h, err := parseHeader(p[:], offset)
	if err == nil && h.length > size-offset {
		err = damaged(offset, "a member says it is longer than the file")
	}
	return h, err
}

// readMember reads the data of a member, into dst where that is large enough.
func readMember(r io.ReaderAt, size, offset int64, dst []byte) ([]byte, int64, error) {
	h, err := memberAt(r, size, offset)
	if err != nil {
		return nil, 0, err
	}
	member := make([]byte, h.length)
	if err := readAt(r, member, offset); err != nil {
		return nil, 0, err
	}
	data, err := inflate(dst, member, h, offset)
	return data, h.length, err
}

// openTar goes through the headers of a plain tar.
func (a *Reader) openTar() error {
	source := &counting{section: io.NewSectionReader(a.r, 0, a.size)}
	t := tar.NewReader(source)
	for {
		h, err := t.Next()
		if err == io.EOF {
			return source.ended()
		}
		if err != nil {
			return damaged(source.at, "no tar header: %v", err)
		}
		name, ok, err := entryName(h, source.at)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if h.Size > a.size-source.at {
			return damaged(source.at, "the entry %s is cut off", name)
		}
		if err := a.add(name, place{source.at, h.Size}); err != nil {
			return err
		}
	}
}

// entryName cleans the name of an entry. ok is false for a folder and for what
// says something of the tar itself; a link or a name that leads out is an error.
func entryName(h *tar.Header, offset int64) (name string, ok bool, err error) {
	switch h.Typeflag {
	case tar.TypeReg:
	case tar.TypeDir, tar.TypeXGlobalHeader:
		return "", false, nil
	default:
		return "", false, damaged(offset, "the entry %q is neither file nor folder", h.Name)
	}
	if path.IsAbs(h.Name) || slices.Contains(strings.Split(h.Name, "/"), "..") {
		return "", false, damaged(offset, "the entry %q leads out of the archive", h.Name)
	}
	return path.Clean(h.Name), true, nil
}

// counting is a section that knows where it is, and whether a tar ends as it
// should: a file that was cut between two entries looks whole to archive/tar.
type counting struct {
	section *io.SectionReader
	at      int64
	zeros   bool // the last thing read was a block of zeros
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.section.Read(p)
	c.at += int64(n)
	if n > 0 {
		c.zeros = n >= tarBlock && len(bytes.TrimLeft(p[:n], "\x00")) == 0
	}
	return n, err
}

func (c *counting) Seek(offset int64, whence int) (int64, error) {
	n, err := c.section.Seek(offset, whence)
	if err == nil {
		c.at, c.zeros = n, false
	}
	return n, err
}

func (c *counting) ended() error {
	if !c.zeros {
		return damaged(c.at, "the tar has no end")
	}
	return nil
}
