package bundle

import (
	"bytes"
	"io"
	"testing"
)

// TestRecover cuts an archive at many places, takes up what is good of it and
// writes the rest: the result is byte for byte the archive that was not cut.
func TestRecover(t *testing.T) {
	files := sample()
	for _, c := range []Compression{Gzip, None} {
		whole := write(t, c, files)
		for cut := 0; cut < len(whole); cut += 1 + len(whole)/97 {
			rest := bytes.Clone(whole[:cut])
			if cut%2 == 1 {
				rest = append(rest, "noise"...)
			}
			if got := resume(t, c, rest, files); !bytes.Equal(got, whole) {
				t.Fatalf("compression %d, cut at %d: another archive", c, cut)
			}
		}
	}
}

func resume(t *testing.T, c Compression, cut []byte, files []file) []byte {
	t.Helper()
	found, err := Recover(bytes.NewReader(cut), int64(len(cut)), c)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range found.Entries {
		if r := content(t, e, cut, c); e.Name != files[i].name || !bytes.Equal(r, files[i].data) {
			t.Fatalf("entry %d is recovered as %s with %d bytes", i, e.Name, len(r))
		}
	}
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
		head := content(t, *tail, cut, c)
		if int64(len(head)) != tail.Content || !bytes.HasPrefix(files[0].data, head) {
			t.Fatalf("the tail of %s is recovered with %d bytes", tail.Name, len(head))
		}
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

func content(t *testing.T, e RecoveredEntry, cut []byte, c Compression) []byte {
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
