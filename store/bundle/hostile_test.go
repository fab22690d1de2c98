package bundle

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
)

func hostile(t *testing.T, headers ...*tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range headers {
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// inMembers makes a bundle of entries that no Writer would make: each in members
// of its own, and the end of the tar.
func inMembers(entries ...[]byte) []byte {
	var p []byte
	for _, e := range append(entries, make([]byte, tarEnd)) {
		for len(e) > 0 {
			n := min(len(e), memberData)
			p = appendStored(p, e[:n])
			e = e[n:]
		}
	}
	return p
}

func withTable(p []byte, records ...record) []byte {
	var t table
	for _, r := range records {
		t.add(keyName(r.key), r.offset)
	}
	out := bytes.NewBuffer(bytes.Clone(p))
	_ = t.write(out, int64(len(p))) // a bytes.Buffer takes everything
	return out.Bytes()
}

func recordOf(name string, offset int64) record { return record{appendKey(nil, name), offset} }

// refused wants a *FormatError of both readers.
func refused(t *testing.T, archive []byte) {
	t.Helper()
	for kind, read := range readers(archive) {
		var format *FormatError
		if _, err := read(); !errors.As(err, &format) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestHostileNames(t *testing.T) {
	for _, h := range []*tar.Header{
		{Typeflag: tar.TypeReg, Name: "../evil"},
		{Typeflag: tar.TypeReg, Name: "blobs/../../evil"},
		{Typeflag: tar.TypeReg, Name: "blobs/.."},
		{Typeflag: tar.TypeReg, Name: "/etc/passwd"},
		{Typeflag: tar.TypeReg, Name: strings.Repeat("a/", 100) + "../../evil"},
		{Typeflag: tar.TypeSymlink, Name: "../evil", Linkname: "oci-layout"},
		{Typeflag: tar.TypeChar, Name: IndexFile},
		{Typeflag: tar.TypeFifo, Name: LayoutFile},
	} {
		t.Run(h.Name, func(t *testing.T) {
			archive := hostile(t, h)
			refused(t, archive)
			refused(t, inMembers(archive[:len(archive)-tarEnd]))
		})
	}
}

// TestHostileHeaders: a bundle has no other headers than a Writer's.
func TestHostileHeaders(t *testing.T) {
	change := func(f func(p []byte)) []byte {
		p := tarHeader(nil, IndexFile, 0)
		f(p)
		return p
	}
	for name, entry := range map[string][]byte{
		"another name":     tarHeader(nil, "file", 0),
		"upper case":       tarHeader(nil, "blobs/sha256/"+strings.Repeat("A", 64), 0),
		"wrong sum":        change(func(p []byte) { p[150] ^= 1 }),
		"a link":           appendTarBlock(nil, IndexFile, '2', 0, false),
		"negative size":    change(func(p []byte) { copy(p[124:], "\x80\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff") }),
		"immense size":     tarHeader(nil, IndexFile, 1<<62),
		"size of nothing":  tarHeader(nil, IndexFile, 1),
		"size over 8 GiB":  tarHeader(nil, IndexFile, 9<<30),
		"content of none":  append(tarHeader(nil, IndexFile, 0), make([]byte, tarBlock)...),
		"half a header":    tarHeader(nil, IndexFile, 0)[:100],
		"half a long name": tarHeader(nil, "blobs/sha512/"+strings.Repeat("a", 128), 0)[:2*tarBlock],
		"an early end":     make([]byte, tarBlock),
		"a late end":       make([]byte, 3*tarBlock),
		"an unclean end":   append(make([]byte, tarEnd-1), 1),
	} {
		t.Run(name, func(t *testing.T) { refused(t, inMembers(entry)) })
	}
}

// TestHostileMembers holds members against what they say of themselves.
func TestHostileMembers(t *testing.T) {
	entry := append(tarHeader(nil, IndexFile, memberData-tarBlock), make([]byte, memberData-tarBlock)...)
	for name, change := range map[string]func([]byte){
		"inflates to more": func(p []byte) { p[20], p[21], p[22] = 1, 0, 0 },
		"inflates to less": func(p []byte) { p[22] = 0x20 },
		"a bomb":           func(p []byte) { p[23] = 0x40 },
		"longer":           func(p []byte) { p[16]++ },
		"shorter":          func(p []byte) { p[16]-- },
		"huge":             func(p []byte) { p[19] = 0x7f },
		"negative":         func(p []byte) { p[19] = 0xff },
		"tiny":             func(p []byte) { p[16], p[17], p[18] = 1, 0, 0 },
		"long extra field": func(p []byte) { p[11] = 0x20 },
		"no extra field":   func(p []byte) { p[10] = 0 },
		"wrong checksum":   func(p []byte) { p[len(p)-8]++ },
		"wrong length":     func(p []byte) { p[len(p)-4]++ },
	} {
		for kind, member := range map[string][]byte{"deflated": appendDeflated(nil, entry), "stored": appendStored(nil, entry)} {
			t.Run(kind+", "+name, func(t *testing.T) {
				broken := bytes.Clone(member)
				change(broken)
				refused(t, append(broken, inMembers()...))
			})
		}
	}
}

// TestHostileShares: the members of an entry are full but for the last.
func TestHostileShares(t *testing.T) {
	entry := append(tarHeader(nil, IndexFile, memberData), make([]byte, memberData)...)
	for name, cuts := range map[string][]int{
		"short":            {0, memberData - tarBlock, len(entry)},
		"an empty one":     {0, memberData, memberData, len(entry)},
		"one more":         {0, memberData, len(entry), len(entry)},
		"one too few":      {0, memberData},
		"header by itself": {0, tarBlock, len(entry) - tarBlock, len(entry)},
	} {
		var p []byte
		for i := range cuts[1:] {
			p = appendStored(p, entry[cuts[i]:cuts[i+1]])
		}
		t.Run(name, func(t *testing.T) { refused(t, append(p, inMembers()...)) })
	}
	t.Run("as it should be", func(t *testing.T) {
		if got, err := readRandom(inMembers(entry)); err != nil || len(got) != 1 {
			t.Error(err)
		}
	})
}

// TestBomb reads a few kilobytes that inflate to 64 MiB, in bounded memory.
func TestBomb(t *testing.T) {
	const size = 64 << 20
	bomb := wrapZstd(t, append(tarHeader(nil, IndexFile, size), make([]byte, size+tarEnd)...))
	used := allocated(func() {
		if err := drain(bytes.NewReader(bomb)); err != nil {
			t.Error(err)
		}
	})
	if used > 16<<20 {
		t.Errorf("%d bytes took %d bytes of memory", len(bomb), used)
	}
}

// TestHostileTables: no table leads to other content than that of its names.
func TestHostileTables(t *testing.T) {
	one, two := blobFile([]byte("one")), blobFile([]byte("two"))
	whole := write(t, Gzip, []file{one, two})
	p := withoutTable(whole)
	second := int64(binary.LittleEndian.Uint32(p[16:]))
	if !bytes.Equal(withTable(p, recordOf(one.name, 0), recordOf(two.name, second)), whole) {
		t.Fatal("a table by hand is not that of the Writer")
	}
	for name, records := range map[string][]record{
		"swapped":         {recordOf(two.name, 0), recordOf(one.name, second)},
		"within":          {recordOf(one.name, 0), recordOf(two.name, second+1)},
		"behind":          {recordOf(one.name, 0), recordOf(two.name, int64(len(p)))},
		"far behind":      {recordOf(one.name, 0), recordOf(two.name, 1<<61)},
		"twice":           {recordOf(one.name, 0), recordOf(one.name, 0)},
		"backwards":       {recordOf(two.name, second), recordOf(one.name, 0)},
		"not from first":  {recordOf(two.name, second)},
		"another's names": {recordOf(LayoutFile, 0), recordOf(IndexFile, second)},
	} {
		t.Run(name, func(t *testing.T) { refused(t, withTable(p, records...)) })
	}
	for name, archive := range map[string][]byte{
		"something behind": append(bytes.Clone(whole), 0),
		"a second table":   append(bytes.Clone(whole), whole[len(p):]...),
		"no last member":   whole[:len(whole)-lastLength],
		"no first member":  append(bytes.Clone(p), whole[len(whole)-lastLength:]...),
	} {
		t.Run(name, func(t *testing.T) { refused(t, archive) })
	}
	t.Run("leaves one out", func(t *testing.T) {
		if _, err := readStream(bytes.NewReader(withTable(p, recordOf(one.name, 0)))); err == nil {
			t.Error("a stream takes a table without the last entry")
		}
	})
}

// TestShortTable: between the place where a table says that it begins and its
// last member there may be room for no member at all.
func TestShortTable(t *testing.T) {
	whole := write(t, Gzip, small())
	last := len(whole) - lastLength
	for n := 1; n < 2*minMember; n++ {
		var none tally
		refused(t, appendEmpty(bytes.Clone(whole[:last]), appendOT(none.last(int64(last-n)))))
	}
}

// TestFlippedTable changes every bit of a table, which no CRC of gzip covers.
func TestFlippedTable(t *testing.T) {
	whole := write(t, Gzip, small())
	for i := len(withoutTable(whole)); i < len(whole); i++ {
		for bit := range 8 {
			broken := bytes.Clone(whole)
			broken[i] ^= 1 << bit
			for kind, read := range readers(broken) {
				if _, err := read(); err == nil {
					t.Fatalf("byte %d, bit %d, %s: no error", i, bit, kind)
				}
			}
		}
	}
}

// TestManyEntries: what a reader remembers is bounded, and what a writer makes.
func TestManyEntries(t *testing.T) {
	limit := maxEntries
	defer func() { maxEntries = limit }()
	for _, c := range []Compression{Gzip, None} {
		maxEntries = len(small())
		archive := write(t, c, small())
		if _, err := readRandom(archive); err != nil {
			t.Error(err)
		}
		maxEntries--
		refused(t, archive)
		if c == Gzip {
			refused(t, withoutTable(archive))
		}
		maxEntries = 0
		if err := NewWriter(io.Discard, c).Put(LayoutFile, nil); err == nil {
			t.Error("a Writer goes over the limit")
		}
	}
}

// TestManyFolders: what is passed over counts too.
func TestManyFolders(t *testing.T) {
	limit := maxEntries
	defer func() { maxEntries = limit }()
	maxEntries = 3
	folder := &tar.Header{Typeflag: tar.TypeDir, Name: "folder/"}
	refused(t, hostile(t, folder, folder, folder, folder))
}

// TestLongNames: a name that no layout has is not remembered, however many.
func TestLongNames(t *testing.T) {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: strings.Repeat("long/", 100_000) + "name", Format: tar.FormatGNU}
	archive := foreign(t, h, &tar.Header{Name: IndexFile})
	for kind, read := range readers(archive) {
		if got, err := read(); err != nil || len(got) != 1 || got[0].name != IndexFile {
			t.Errorf("%s: %d entries, %v", kind, len(got), err)
		}
	}
}
