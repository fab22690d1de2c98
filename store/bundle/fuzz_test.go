package bundle

import (
	"bytes"
	"errors"
	"runtime"
	"testing"

	"github.com/opencontainers/go-digest"
)

// small is an archive that a fuzzer can change in many ways a second.
func small() []file {
	return []file{
		{LayoutFile, []byte("{}")}, blobFile([]byte("one")), {IndexFile, []byte("{}")}, blobFile([]byte("BZh two")),
		blobFile(nil), {PartFile, []byte("{}")}, {PieceName(digest.FromString("x"), 512), []byte("a piece")}, {IndexFile, []byte(`{"manifests":[]}`)},
	}
}

func seeds(f *testing.F) {
	for _, c := range []Compression{Gzip, None} {
		archive := write(f, c, small())
		f.Add(archive)
		f.Add(archive[:len(archive)-lastLength])
		f.Add(archive[:len(archive)/2])
	}
	f.Add(withoutTable(write(f, Gzip, small())))
	f.Add(wrapGzip(f, write(f, None, small())))
	f.Add(wrapZstd(f, write(f, None, small())))
	f.Add(foreign(f, foreignEntries...))
	f.Add(appendDeflated(nil, make([]byte, memberData)))
}

// checkError wants an error that says what is wrong, rather than any.
func checkError(t *testing.T, err error) {
	t.Helper()
	var format *FormatError
	if !errors.As(err, &format) && !errors.Is(err, ErrForeign) && !errors.Is(err, ErrNotArchive) {
		t.Fatalf("%T: %v", err, err)
	}
}

// allocated returns the bytes that f allocates altogether.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// FuzzStream: whatever comes, there is no panic, no error without a reason, and
// no more memory than a decoder's window and a few members.
func FuzzStream(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, p []byte) {
		var err error
		used := allocated(func() { err = drain(bytes.NewReader(p)) })
		if err != nil {
			checkError(t, err)
		}
		if limit := int64(2*maxZstdWindow + 64<<20 + 64*len(p)); used > limit {
			t.Fatalf("%d bytes took %d bytes of memory", len(p), used)
		}
	})
}

// FuzzOpen: what is read as a stream, whole and without an error, reads the same
// at random.
func FuzzOpen(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, p []byte) {
		var random []file
		var openErr error
		used := allocated(func() { random, openErr = readRandom(p) })
		if openErr != nil {
			checkError(t, openErr)
		}
		if limit := int64(64<<20 + 4096*len(p)); used > limit {
			t.Fatalf("%d bytes took %d bytes of memory", len(p), used)
		}
		if errors.Is(openErr, ErrForeign) {
			return
		}
		streamed, err := readStream(bytes.NewReader(p))
		if err != nil {
			return // a reader at random need not see what it does not read
		}
		if openErr != nil {
			t.Fatalf("reads as a stream; at random: %v", openErr)
		}
		equal(t, newest(streamed), random)
	})
}

// FuzzRecover: what is recovered of any file makes an archive that is whole.
func FuzzRecover(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, p []byte) {
		for _, c := range []Compression{Gzip, None} {
			found, err := Recover(bytes.NewReader(p), int64(len(p)), c)
			if err != nil {
				t.Fatal(err)
			}
			got, err := readStream(bytes.NewReader(finish(t, c, p, found.Entries)))
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(found.Entries) {
				t.Fatalf("%d entries are recovered, and %d read", len(found.Entries), len(got))
			}
			for i, e := range found.Entries {
				if got[i].name != e.Name || int64(len(got[i].data)) != e.Size {
					t.Errorf("entry %d is recovered as %v and reads as %s", i, e, got[i].name)
				}
			}
			if tail := found.Tail; tail != nil && int64(len(part(t, *tail, p, c))) != tail.Content {
				t.Errorf("the tail %+v has other content", tail)
			}
		}
	})
}

// FuzzEncoder: what was written is what is read.
func FuzzEncoder(f *testing.F) {
	f.Add([]byte("plain"), 3, 1, true)
	f.Add([]byte("BZh"), 1, 2, true)
	f.Add([]byte{}, 0, 0, false)
	f.Add(bytes.Repeat([]byte{0x1f, 0x8b, 1, 2}, 5000), 200, 70_000, true)
	f.Fuzz(func(t *testing.T, data []byte, repeat, chunk int, gzip bool) {
		data = bytes.Repeat(data, 1+(repeat&0xff))
		c := None
		if gzip {
			c = Gzip
		}
		files := []file{blobFile(data), {IndexFile, data}}
		archive := write(t, c, files)
		if got := encode(t, c, files[0], 1+(chunk&0xfffff)); !bytes.HasPrefix(archive, got) {
			t.Error("other writes make other bytes")
		}
		for kind, read := range readers(archive) {
			got, err := read()
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			equal(t, files, got)
		}
	})
}
