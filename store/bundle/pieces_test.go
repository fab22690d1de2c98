package bundle

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/opencontainers/go-digest"
)

// contents are blobs of each kind: stored, deflated, and what looks deflatable and is not.
func contents(size int) map[string][]byte {
	random := rand.New(rand.NewPCG(3, 4))
	noise := make([]byte, size)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	stored := bytes.Clone(noise)
	copy(stored, magicGzip)
	noise[0] = 'x'
	return map[string][]byte{"stored": stored, "noise": noise, "text": bytes.Repeat([]byte("text "), size/5)}
}

// TestPiecesAreTheBlob writes a blob in pieces and reads them back, in every way.
func TestPiecesAreTheBlob(t *testing.T) {
	for name, data := range contents(3<<20 + 777) {
		for _, c := range []Compression{Gzip, None} {
			d := digest.FromBytes(data)
			pieces := []Piece{{0, 512}, {512, 1<<20 + 512}, {1<<20 + 1024, int64(len(data)) - 1<<20 - 1024}}
			var out bytes.Buffer
			e := NewPieceEncoder(c, d, pieces, func(p []byte) error { out.Write(p); return nil })
			for rest := data; len(rest) > 0; {
				n := min(len(rest), 70_001)
				if _, err := e.Write(rest[:n]); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			var archive bytes.Buffer
			w := NewWriter(&archive, c)
			for rest := out.Bytes(); len(pieces) > 0; pieces = pieces[1:] {
				entry := PieceName(d, pieces[0].Offset)
				length := entryLength(t, c, rest)
				if err := w.Begin(entry); err != nil {
					t.Fatal(err)
				}
				w.Write(rest[:length])
				if err := w.End(); err != nil {
					t.Fatal(err)
				}
				rest = rest[length:]
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			for kind, read := range readers(archive.Bytes()) {
				files, err := read()
				if err != nil {
					t.Fatalf("%s as %v, %s: %v", name, c, kind, err)
				}
				var joined []byte
				for _, f := range files {
					got, offset, ok := ParsePieceName(f.name)
					if !ok || got != d || offset != int64(len(joined)) {
						t.Errorf("%s: %s is a piece of %s at %d", kind, f.name, got, offset)
					}
					joined = append(joined, f.data...)
				}
				if !bytes.Equal(joined, data) {
					t.Errorf("%s as %v, %s: other bytes", name, c, kind)
				}
			}
		}
	}
}

// entryLength returns the length of the encoded entry that p begins with.
func entryLength(t *testing.T, c Compression, p []byte) (length int) {
	t.Helper()
	if c == None {
		h, err := parseEntry(p, 0)
		if err != nil {
			t.Fatal(err)
		}
		return int(h.total())
	}
	room := rooms.Get().(*room)
	defer rooms.Put(room)
	r := bytes.NewReader(p)
	data, _, err := readMember(r, int64(len(p)), 0, room)
	if err != nil {
		t.Fatal(err)
	}
	h, err := parseEntry(data, 0)
	if err != nil {
		t.Fatal(err)
	}
	for rest := h.total(); rest > 0; {
		m, err := memberAt(r, int64(len(p)), int64(length))
		if err != nil {
			t.Fatal(err)
		}
		length += int(m.length)
		rest -= int64(m.inflated)
	}
	return length
}

// TestPiecesAreFramedLikeTheBlob stores all pieces of a blob that is compressed already: the
// later ones do not begin with a magic number.
func TestPiecesAreFramedLikeTheBlob(t *testing.T) {
	data := append([]byte("BZh"), bytes.Repeat([]byte("text "), 400_000)...)
	half := int64(1 << 20)
	size := 0
	pieces := []Piece{{0, half}, {half, int64(len(data)) - half}}
	e := NewPieceEncoder(Gzip, digest.FromBytes(data), pieces, func(p []byte) error { size += len(p); return nil })
	e.Write(data)
	if err := e.Close(); err != nil || size < len(data) {
		t.Errorf("%d bytes became %d: %v", len(data), size, err)
	}
}

func TestPiecesOfAnotherSize(t *testing.T) {
	emit := func([]byte) error { return nil }
	d := digest.FromBytes(nil)
	for _, n := range []int{0, 1, 700, 1023, 1025} {
		e := NewPieceEncoder(None, d, []Piece{{0, 512}, {512, 512}}, emit)
		_, err := e.Write(make([]byte, n))
		if closed := e.Close(); err == nil && closed == nil {
			t.Errorf("%d bytes were taken for 1024", n)
		}
	}
}

func TestPieceNames(t *testing.T) {
	d := digest.SHA512.FromString("x")
	for _, offset := range []int64{0, 1, 1 << 32, maxSize} {
		if got, at, ok := ParsePieceName(PieceName(d, offset)); !ok || got != d || at != offset {
			t.Errorf("%s at %d is parsed as %s at %d", d, offset, got, at)
		}
	}
	hex := digest.FromString("x").Encoded()
	for _, name := range []string{"", "pieces/", "pieces/sha256/" + hex, "pieces/sha256/" + hex + "/", "pieces/sha256/" + hex + "/1",
		"pieces/sha256/" + hex + "/-000000000000000001", "pieces/sha256/" + hex + "/9999999999999999999", "pieces/sha256/" + hex + "/0000000000000000000/1",
		"pieces/sha512/" + hex + "/0000000000000000000", "blobs/sha256/" + hex, "blobs/sha256/" + hex + "/0000000000000000000", PartFile} {
		if _, _, ok := ParsePieceName(name); ok {
			t.Errorf("%q is a piece", name)
		}
	}
}

// TestBound adds up what archives take at most, and fills them up to a size.
func TestBound(t *testing.T) {
	for _, c := range []Compression{Gzip, None} {
		for name, data := range contents(2<<20 + 99) {
			var out bytes.Buffer
			w := NewWriter(&out, c)
			for _, size := range []int{0, 1, 511, 100_000} {
				if err := w.Put(blobFile(data[:size]).name, data[:size]); err != nil {
					t.Fatal(err)
				}
			}
			b := w.Head().Bound()
			for i := range 200 {
				f := file{PieceName(digest.SHA512.FromString(name), int64(i)), data[:i*9]}
				if err := w.Put(f.name, f.data); err != nil {
					t.Fatal(err)
				}
				b.Add(f.name, int64(len(f.data)))
			}
			last := blobFile(data)
			most := b.Total() + int64(1<<20+len(name)*1111)
			fit := b.Fit(last.name, most)
			with := b
			with.Add(last.name, fit+tarBlock)
			if b.Add(last.name, fit); b.Total() > most || with.Total() <= most {
				t.Errorf("%s as %v: %d bytes fit into %d", name, c, fit, most)
			}
			if err := w.Put(last.name, data[:fit]); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			if got := int64(out.Len()); got > b.Total() || name != "text" && c == None && got != b.Total() {
				t.Errorf("%s as %v: %d bytes, at most %d expected", name, c, got, b.Total())
			}
		}
	}
	if got := (&Head{table: new(table)}).Bound().Fit(IndexFile, 10); got != 0 {
		t.Errorf("%d bytes fit into nothing", got)
	}
}

// TestHeadIsShared begins two archives alike. They read like any other.
func TestHeadIsShared(t *testing.T) {
	for _, c := range []Compression{Gzip, None} {
		var first bytes.Buffer
		w := NewWriter(&first, c)
		files := sample()
		for _, f := range files[:3] {
			if err := w.Put(f.name, f.data); err != nil {
				t.Fatal(err)
			}
		}
		head := w.Head()
		second := bytes.NewBuffer(bytes.Clone(first.Bytes()))
		other := head.NewWriter(second)
		for _, f := range files[3:] {
			if err := w.Put(f.name, f.data); err != nil {
				t.Fatal(err)
			}
		}
		extra := blobFile([]byte("taken back"))
		at := other.Offset()
		if err := other.Put(extra.name, extra.data); err != nil {
			t.Fatal(err)
		}
		if _, err := other.Drop(files[0].name); err == nil {
			t.Error("an entry was dropped that is not the last")
		}
		if got, err := other.Drop(extra.name); err != nil || got != at {
			t.Fatalf("dropped %d, %v, want %d", got, err, at)
		}
		second.Truncate(int(at))
		for _, out := range []struct {
			w     *Writer
			bytes *bytes.Buffer
			files []file
		}{{w, &first, files}, {other, second, files[:3]}} {
			if err := out.w.Close(); err != nil {
				t.Fatal(err)
			}
			for kind, read := range readers(out.bytes.Bytes()) {
				got, err := read()
				if err != nil {
					t.Fatalf("%s: %v", kind, err)
				}
				equal(t, out.files, got)
			}
		}
	}
}
