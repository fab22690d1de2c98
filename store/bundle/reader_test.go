package bundle

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
	"sync"
	"testing"
)

func open(t *testing.T, archive []byte) *Reader {
	t.Helper()
	a, err := Open(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestStat returns all sizes, however the archive was opened.
func TestStat(t *testing.T) {
	files := sample()
	archive := write(t, Gzip, files)
	for kind, p := range map[string][]byte{"table": archive, "walk": withoutTable(archive), "tar": write(t, None, files)} {
		a := open(t, p)
		for _, f := range files {
			if n, err := a.Stat(f.name); err != nil || n != int64(len(f.data)) {
				t.Errorf("%s: %s has %d bytes, %v; want %d", kind, f.name, n, err, len(f.data))
			}
		}
		absent := blobFile([]byte("absent")).name
		if _, err := a.Stat(absent); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", kind, err)
		}
		if _, err := a.Open(absent); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// TestLongTable has a table of several members.
func TestLongTable(t *testing.T) {
	var files []file
	for i := range 500 {
		files = append(files, blobFile([]byte(strconv.Itoa(i))))
	}
	archive := write(t, Gzip, files)
	if table := len(archive) - len(withoutTable(archive)); table < 3*maxTable {
		t.Fatalf("the table has %d bytes", table)
	}
	for kind, read := range readers(archive) {
		got, err := read()
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		equal(t, files, got)
	}
}

// TestConcurrentReads reads all entries side by side.
func TestConcurrentReads(t *testing.T) {
	files := sample()
	a := open(t, write(t, Gzip, files))
	var wait sync.WaitGroup
	for _, f := range files {
		wait.Go(func() {
			e, err := a.Open(f.name)
			if err != nil {
				t.Error(err)
				return
			}
			defer e.Close()
			if data, err := io.ReadAll(e); err != nil || !bytes.Equal(data, f.data) {
				t.Errorf("%s: %d bytes, %v", f.name, len(data), err)
			}
		})
	}
	wait.Wait()
}

// TestClosed: what is closed has given its memory to others.
func TestClosed(t *testing.T) {
	archive := write(t, Gzip, small())
	e, err := open(t, archive).Open(IndexFile)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewStream(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Next(); err != nil || !s.Members() {
		t.Fatal(s.Members(), err)
	}
	for _, c := range []io.ReadCloser{e, s} {
		if err := errors.Join(c.Close(), c.Close()); err != nil {
			t.Error(err)
		}
		if n, err := c.Read(make([]byte, 1)); n != 0 || err != os.ErrClosed {
			t.Errorf("%T reads %d bytes, %v", c, n, err)
		}
	}
}

// TestDiscard takes an entry back; what is written then has no trace of it.
func TestDiscard(t *testing.T) {
	files := small()
	for _, c := range []Compression{Gzip, None} {
		var out bytes.Buffer
		w := NewWriter(&out, c)
		for _, f := range files {
			begin := w.Offset()
			if err := w.Begin(blobFile([]byte("given up")).name); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte("some bytes")); err != nil {
				t.Fatal(err)
			}
			if err := w.Begin(f.name); err == nil {
				t.Error("begins an entry within another")
			}
			if at := w.Discard(); at != begin {
				t.Errorf("goes back to %d, not to %d", at, begin)
			}
			out.Truncate(int(begin))
			if err := w.Put(f.name, f.data); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(out.Bytes(), write(t, c, files)) {
			t.Errorf("compression %d: other bytes", c)
		}
	}
}
