package bundle

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

// unfinished has entries of one and of several members, stored and not.
func unfinished() []file {
	return append(small(),
		blobFile(append([]byte("BZh"), random(1, 2<<20)...)),
		blobFile([]byte(strings.Repeat("compressible ", 200_000))),
		blobFile(append([]byte("BZh"), random(2, 2*memberData-3-tarBlock)...)), // all of it fills members
		file{IndexFile, []byte("{}")},
	)
}

// TestRecover cuts an archive at many places, takes up what is good of it and
// writes the rest: the result is byte for byte the archive that was not cut.
func TestRecover(t *testing.T) {
	files := unfinished()
	for _, c := range []Compression{Gzip, None} {
		whole := write(t, c, files)
		tails := 0
		for cut := 0; cut < len(whole); cut += 1 + len(whole)/11 {
			rest := bytes.Clone(whole[:cut])
			if cut%2 == 1 {
				rest = append(rest, "noise"...)
			}
			found := recovered(t, c, rest, files)
			if found.Tail != nil {
				tails++
			}
			if got := resume(t, c, rest, found, files); !bytes.Equal(got, whole) {
				t.Fatalf("compression %d, cut at %d: another archive", c, cut)
			}
		}
		if (tails > 2) != (c == Gzip) {
			t.Errorf("compression %d: %d tails", c, tails)
		}
	}
}

// TestRecoverStranger: something else may follow whole members.
func TestRecoverStranger(t *testing.T) {
	f := blobFile(random(7, 3<<20))
	whole := write(t, Gzip, []file{f})
	cut := append(bytes.Clone(whole[:storedLength(memberData)]), appendStored(nil, []byte("stranger"))...)
	found := recovered(t, Gzip, cut, []file{f})
	if found.Tail == nil || found.Tail.Content != memberData-tarBlock {
		t.Fatalf("the tail is %+v", found.Tail)
	}
	if got := resume(t, Gzip, cut, found, []file{f}); !bytes.Equal(got, whole) {
		t.Error("another archive")
	}
}

// TestRecoverWhole takes a finished archive for entries without an end.
func TestRecoverWhole(t *testing.T) {
	files := small()
	for _, c := range []Compression{Gzip, None} {
		whole := write(t, c, files)
		found := recovered(t, c, whole, files)
		if got := finish(t, c, whole, found.Entries); found.Tail != nil || !bytes.Equal(got, whole) {
			t.Errorf("compression %d: %d entries, tail %v", c, len(found.Entries), found.Tail)
		}
	}
}

// TestRecoverError: a disk that cannot be read is no end of an archive.
func TestRecoverError(t *testing.T) {
	for _, c := range []Compression{Gzip, None} {
		whole := write(t, c, sample())
		r := failing{bytes.NewReader(whole), 100}
		if found, err := Recover(r, int64(len(whole)), c); !errors.Is(err, errFailing) {
			t.Errorf("compression %d: %+v, %v", c, found, err)
		}
	}
}

var errFailing = errors.New("input/output error")

// failing cannot read beyond an offset.
type failing struct {
	io.ReaderAt
	from int64
}

func (f failing) ReadAt(p []byte, offset int64) (int, error) {
	if offset+int64(len(p)) > f.from {
		return 0, errFailing
	}
	return f.ReaderAt.ReadAt(p, offset)
}

// recovered recovers an archive that was cut and checks the content.
func recovered(t *testing.T, c Compression, cut []byte, files []file) *Recovered {
	t.Helper()
	found, err := Recover(bytes.NewReader(cut), int64(len(cut)), c)
	if err != nil {
		t.Fatal(err)
	}
	entries := found.Entries
	if found.Tail != nil {
		entries = append(entries[:len(entries):len(entries)], *found.Tail)
	}
	for i, e := range entries {
		data := part(t, e, cut, c)
		if e.Name != files[i].name || int64(len(data)) != e.Content || !bytes.HasPrefix(files[i].data, data) {
			t.Fatalf("entry %d is recovered as %s with %d bytes", i, e.Name, len(data))
		}
		if whole := i < len(found.Entries); whole && e.Content != e.Size {
			t.Fatalf("entry %d is recovered with %d of %d bytes", i, e.Content, e.Size)
		}
	}
	return found
}

// resume writes what an archive that was cut lacks.
func resume(t *testing.T, c Compression, cut []byte, found *Recovered, files []file) []byte {
	t.Helper()
	var out bytes.Buffer
	if n := len(found.Entries); n > 0 {
		out.Write(cut[:found.Entries[n-1].End])
	}
	w, err := Resume(&out, c, found.Entries)
	if err != nil {
		t.Fatal(err)
	}
	files = files[len(found.Entries):]
	if tail := found.Tail; tail != nil {
		out.Write(cut[tail.Offset:tail.End])
		resumeTail(t, c, cut, w, *tail, files[0].data[tail.Content:])
		files = files[1:]
	}
	for _, f := range files {
		if err := w.Put(f.name, f.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func resumeTail(t *testing.T, c Compression, cut []byte, w *Writer, tail RecoveredEntry, lacking []byte) {
	t.Helper()
	if err := w.Continue(tail.Name, tail.End); err != nil {
		t.Fatal(err)
	}
	e, err := tail.Encoder(bytes.NewReader(cut), c, func(p []byte) error { _, err := w.Write(p); return err })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Write(lacking); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(e.Close(), w.End()); err != nil {
		t.Fatal(err)
	}
}

// finish ends an archive after its whole entries.
func finish(t *testing.T, c Compression, cut []byte, entries []RecoveredEntry) []byte {
	t.Helper()
	return resume(t, c, cut, &Recovered{Entries: entries}, make([]file, len(entries)))
}

func part(t *testing.T, e RecoveredEntry, cut []byte, c Compression) []byte {
	t.Helper()
	r, err := e.Open(bytes.NewReader(cut), c)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return data
}

// TestRecoverChecksPadding: no digest covers what is between two entries of a plain tar.
func TestRecoverChecksPadding(t *testing.T) {
	files := small()
	whole := write(t, None, files)
	found := recovered(t, None, whole, files)
	for i, e := range found.Entries {
		if padding(e.Size) == 0 {
			continue
		}
		for _, at := range []int64{e.End - padding(e.Size), e.End - 1} {
			hurt := bytes.Clone(whole)
			hurt[at] = 1
			again := recovered(t, None, hurt, files)
			if len(again.Entries) != i {
				t.Errorf("byte %d: %d entries are good, want %d", at, len(again.Entries), i)
			}
			if got := resume(t, None, hurt, again, files); !bytes.Equal(got, whole) {
				t.Errorf("byte %d: another archive", at)
			}
		}
	}
}
