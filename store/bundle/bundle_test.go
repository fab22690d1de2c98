package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestRoundTrip(t *testing.T) {
	files := sample()
	for _, c := range []Compression{Gzip, None} {
		archive := write(t, c, files)
		got, err := readRandom(archive)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, files, got)
		if got, err = readStream(bytes.NewReader(archive)); err != nil {
			t.Fatal(err)
		}
		equal(t, files, got)
		if c == None {
			continue
		}
		for kind, read := range readers(withoutTable(archive)) {
			if got, err = read(); err != nil {
				t.Fatalf("without a table, %s: %v", kind, err)
			}
			equal(t, files, got)
		}
	}
}

// TestStandardLibrary reads a bundle as one gzip file with a tar in it.
func TestStandardLibrary(t *testing.T) {
	files := sample()
	z, err := gzip.NewReader(bytes.NewReader(write(t, Gzip, files)))
	if err != nil {
		t.Fatal(err)
	}
	var got []file
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, file{h.Name, data})
	}
	equal(t, files, got)
}

// TestBytes holds the bytes of a bundle: two sites compare one hash. A change of
// it, by us or by a library, is a line in CHANGELOG.
func TestBytes(t *testing.T) {
	const want = "31c90671cbdb19265009bded8fd121462399982f0c137a2970362cf46b3bf856"
	if got := fmt.Sprintf("%x", sha256.Sum256(write(t, Gzip, sample()))); got != want {
		t.Errorf("sha256 is %s, want %s", got, want)
	}
}

// TestChunks writes the same members with writes of any size.
func TestChunks(t *testing.T) {
	for _, f := range sample() {
		want := encode(t, Gzip, f, 1<<30)
		for _, chunk := range []int{64 << 10, 4097, 3} {
			if chunk == 3 && len(f.data) > 1<<20 {
				continue
			}
			if !bytes.Equal(encode(t, Gzip, f, chunk), want) {
				t.Errorf("%s: writes of %d bytes make other members", f.name, chunk)
			}
		}
	}
}

// TestSideBySide makes the same members whatever else is encoded meanwhile, by
// compressors that have seen other things before.
func TestSideBySide(t *testing.T) {
	files := sample()
	want := make([][]byte, len(files))
	for i, f := range files {
		want[i] = encode(t, Gzip, f, 1<<30)
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for i, f := range slices.Backward(files) {
				if !bytes.Equal(encode(t, Gzip, f, 128<<10), want[i]) {
					t.Errorf("%s is encoded in two ways", f.name)
				}
			}
		})
	}
	wait.Wait()
}

// TestEncoderRefuses: what comes from a manifest is an error and no panic.
func TestEncoderRefuses(t *testing.T) {
	for _, f := range []struct {
		name string
		size int64
	}{{IndexFile, -1}, {IndexFile, 1 << 62}, {"", 1}, {"../x", 1}, {"blobs/blake3/" + strings.Repeat("0", 64), 1}} {
		e := NewEncoder(Gzip, f.name, f.size, func([]byte) error { t.Error("emits"); return nil })
		if _, err := e.Write([]byte("x")); err == nil {
			t.Errorf("%q of %d bytes is written", f.name, f.size)
		}
		if err := e.Close(); err == nil {
			t.Errorf("%q of %d bytes is closed", f.name, f.size)
		}
		if err := NewWriter(io.Discard, Gzip).Begin(f.name); f.name != IndexFile && err == nil {
			t.Errorf("%q is begun", f.name)
		}
	}
}

// TestEmitError: an error of emit ends the entry.
func TestEmitError(t *testing.T) {
	full := errors.New("disk full")
	for _, c := range []Compression{Gzip, None} {
		for _, f := range sample() {
			e := NewEncoder(c, f.name, int64(len(f.data)), func([]byte) error { return full })
			_, err := e.Write(f.data)
			if closeErr := e.Close(); err == nil {
				err = closeErr
			}
			if !errors.Is(err, full) {
				t.Errorf("compression %d, %d bytes: %v", c, len(f.data), err)
			}
		}
	}
}

func TestEncoderSize(t *testing.T) {
	drop := func([]byte) error { return nil }
	for _, head := range []string{"plain text", "BZh compressed"} {
		e := NewEncoder(Gzip, LayoutFile, 20, drop)
		if _, err := e.Write([]byte(head)); err != nil {
			t.Fatal(err)
		}
		if err := e.Close(); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("a short entry ends with %v", err)
		}
		e = NewEncoder(Gzip, LayoutFile, 5, drop)
		if _, err := e.Write([]byte(head)); err == nil {
			t.Error("a long entry is taken")
		}
	}
}

func TestLastEntryWins(t *testing.T) {
	files := []file{{LayoutFile, []byte("{}")}, {IndexFile, []byte("old")}, {IndexFile, []byte("new")}}
	for _, c := range []Compression{Gzip, None} {
		archive := write(t, c, files)
		a, err := Open(bytes.NewReader(archive), int64(len(archive)))
		if err != nil {
			t.Fatal(err)
		}
		e, err := a.Open(IndexFile)
		if err != nil {
			t.Fatal(err)
		}
		if data, err := io.ReadAll(e); err != nil || string(data) != "new" {
			t.Errorf("%q, %v", data, err)
		}
	}
}
