package bundle

import (
	"bytes"
	"errors"
	"testing"
)

// small is an archive that a fuzzer can change in many ways a second.
func small(t testing.TB, c Compression) []byte {
	return write(t, c, []file{
		{LayoutFile, []byte("{}")}, blobFile([]byte("one")), {IndexFile, []byte("{}")}, blobFile([]byte("BZh two")), blobFile(nil),
	})
}

// FuzzReaders holds the two readers to one law: what both accept they read
// alike, and what they refuse they refuse with an error that says where.
func FuzzReaders(f *testing.F) {
	for _, c := range []Compression{Gzip, None} {
		archive := small(f, c)
		f.Add(archive)
		f.Add(archive[:len(archive)-lastLength])
		f.Add(archive[:len(archive)/2])
	}
	f.Add(appendDeflated(nil, make([]byte, memberData)))
	f.Add([]byte("\x28\xb5\x2f\xfd"))
	f.Fuzz(func(t *testing.T, p []byte) {
		streamed, streamErr := readStream(bytes.NewReader(p))
		a, err := Open(bytes.NewReader(p), int64(len(p)))
		if err != nil {
			var format *FormatError
			if !errors.As(err, &format) && err != ErrForeign && err != ErrNotArchive {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		if streamErr != nil {
			return // a reader at random need not see what it does not read
		}
		last := make(map[string][]byte)
		for _, f := range streamed {
			last[f.name] = f.data
		}
		random, err := readRandom(p)
		if err != nil {
			return
		}
		for _, f := range random {
			if want, ok := last[f.name]; a.gzip && ok && !bytes.Equal(f.data, want) {
				t.Errorf("%s reads differently at random", f.name)
			}
		}
	})
}

// FuzzEncoder holds the writer to its law: what was written is what is read.
func FuzzEncoder(f *testing.F) {
	f.Add([]byte("plain"), 3, true)
	f.Add([]byte("BZh"), 1, true)
	f.Add(bytes.Repeat([]byte{0x1f, 0x8b, 1, 2}, 5000), 4096, false)
	f.Fuzz(func(t *testing.T, data []byte, repeat int, gzip bool) {
		data = bytes.Repeat(data, 1+(repeat&0xff))
		c := None
		if gzip {
			c = Gzip
		}
		files := []file{blobFile(data), {IndexFile, data}}
		archive := write(t, c, files)
		got, err := readStream(bytes.NewReader(archive))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, files, got)
		if got, err = readRandom(archive); err != nil {
			t.Fatal(err)
		}
		equal(t, files, got)
	})
}

// TestManyEntries: what a reader remembers is bounded.
func TestManyEntries(t *testing.T) {
	limit := maxEntries
	maxEntries = 3
	defer func() { maxEntries = limit }()
	for _, c := range []Compression{Gzip, None} {
		archive := small(t, c)
		var format *FormatError
		if _, err := readStream(bytes.NewReader(archive)); !errors.As(err, &format) {
			t.Errorf("as a stream: %v", err)
		}
		if _, err := readRandom(archive); !errors.As(err, &format) {
			t.Errorf("at random: %v", err)
		}
	}
}
