package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
)

// file is one entry of a test archive.
type file struct {
	name string
	data []byte
}

func random(seed uint64, size int) []byte {
	data := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(data)
	return data
}

func blobFile(data []byte) file { return file{BlobName(digest.FromBytes(data)), data} }

// sample has what a bundle has: small and large, empty, compressed and not, on
// both sides of the length of a member, and a name that USTAR cannot hold.
func sample() []file {
	gz := append([]byte{0x1f, 0x8b}, random(1, 3<<20)...)
	files := []file{
		{LayoutFile, []byte(`{"imageLayoutVersion":"1.0.0"}`)},
		blobFile([]byte(`{"schemaVersion":2}`)),
		{IndexFile, []byte(strings.Repeat(`{"manifests":[]}`, 1000))},
		blobFile(nil),
		blobFile(gz),
		blobFile([]byte(strings.Repeat("compressible ", 200_000))),
		blobFile(random(2, 100_000)),
		{BlobName(digest.SHA512.FromBytes(gz)), gz},
	}
	for _, size := range []int{1, 511, 512, 513, memberData - 513, memberData - 512, memberData - 511, 2*memberData - 512} {
		data := random(uint64(size), size)
		copy(data, "BZh")
		files = append(files, blobFile(data))
	}
	return files
}

func write(t testing.TB, c Compression, files []file) []byte {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out, c)
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

// withoutTable is a bundle as far as a tar goes.
func withoutTable(archive []byte) []byte {
	end := appendStored(nil, make([]byte, tarEnd))
	return archive[:bytes.LastIndex(archive, end)+len(end)]
}

// newest is what a reader at random makes of entries: the later one of a name,
// in all places of that name.
func newest(files []file) []file {
	last := make(map[string][]byte)
	for _, f := range files {
		last[f.name] = f.data
	}
	read := make([]file, 0, len(files))
	for _, f := range files {
		read = append(read, file{f.name, last[f.name]})
	}
	return read
}

// drain reads a stream and keeps nothing.
func drain(r io.Reader) error {
	s, err := NewStream(r)
	if err != nil {
		return err
	}
	defer s.Close()
	for {
		if _, _, err := s.Next(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, s); err != nil {
			return err
		}
	}
}

// encode makes the bytes of one entry in writes of so many bytes.
func encode(t testing.TB, c Compression, f file, chunk int) []byte {
	t.Helper()
	var out []byte
	e := NewEncoder(c, f.name, int64(len(f.data)), func(p []byte) error {
		if len(p) > MaxMember {
			t.Errorf("%d bytes at once", len(p))
		}
		out = append(out, p...)
		return nil
	})
	for rest := f.data; len(rest) > 0; rest = rest[min(chunk, len(rest)):] {
		if _, err := e.Write(rest[:min(chunk, len(rest))]); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return out
}

func readStream(r io.Reader) (files []file, err error) {
	s, err := NewStream(r)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	for {
		name, size, err := s.Next()
		if err == io.EOF {
			return files, nil
		}
		if err != nil {
			return files, err
		}
		data, err := io.ReadAll(s)
		if err != nil {
			return files, err
		}
		if int64(len(data)) != size {
			return files, fmt.Errorf("%s: %d bytes instead of %d", name, len(data), size)
		}
		files = append(files, file{name, data})
	}
}

func readRandom(p []byte) (files []file, err error) {
	a, err := Open(bytes.NewReader(p), int64(len(p)))
	if err != nil {
		return nil, err
	}
	for name := range a.Entries() {
		e, err := a.Open(name)
		if err != nil {
			return files, err
		}
		data, err := io.ReadAll(e)
		if err := errors.Join(err, e.Close()); err != nil {
			return files, err
		}
		if int64(len(data)) != e.Size() {
			return files, fmt.Errorf("%s: %d bytes instead of %d", name, len(data), e.Size())
		}
		files = append(files, file{name, data})
	}
	return files, nil
}

func equal(t *testing.T, want, got []file) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%d entries, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i].name != want[i].name || !bytes.Equal(got[i].data, want[i].data) {
			t.Errorf("entry %d is %s (%d bytes), want %s (%d bytes)", i, got[i].name, len(got[i].data), want[i].name, len(want[i].data))
		}
	}
}

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

// TestTruncation cuts a small archive at every byte: no reader may take a part
// for the whole. Its last blob ends in zeros, like a tar.
func TestTruncation(t *testing.T) {
	files := append(small()[:3], blobFile(make([]byte, tarBlock)))
	for _, c := range []Compression{Gzip, None} {
		archive := write(t, c, files)
		for n := range len(archive) {
			for kind, read := range readers(archive[:n]) {
				got, err := read()
				switch {
				case err != nil:
					checkError(t, err)
				case c == Gzip && n != len(withoutTable(archive)), c == None && n != len(archive)-tarBlock:
					t.Errorf("compression %d, %d of %d bytes %s: %d entries and no error", c, n, len(archive), kind, len(got))
				default: // all but the table, or one of two blocks of zeros
					equal(t, newest(files), newest(got))
				}
			}
		}
	}
}

func readers(p []byte) map[string]func() ([]file, error) {
	return map[string]func() ([]file, error){
		"as a stream": func() ([]file, error) { return readStream(bytes.NewReader(p)) },
		"at random":   func() ([]file, error) { return readRandom(p) },
	}
}

// TestFlippedBit changes every byte of a small archive: the content is either
// what was written or an error.
func TestFlippedBit(t *testing.T) {
	files := []file{{LayoutFile, []byte("{}")}, blobFile([]byte("one")), {IndexFile, []byte("{}")}, blobFile([]byte("BZh two"))}
	archive := write(t, Gzip, files)
	for i := range archive {
		broken := bytes.Clone(archive)
		broken[i] ^= 0x10
		for _, read := range []func() ([]file, error){
			func() ([]file, error) { return readStream(bytes.NewReader(broken)) },
			func() ([]file, error) { return readRandom(broken) },
		} {
			got, err := read()
			if err != nil {
				continue
			}
			for j, f := range got {
				if j >= len(files) || f.name != files[j].name || !bytes.Equal(f.data, files[j].data) {
					t.Errorf("byte %d: entry %d reads as %q %q", i, j, f.name, f.data)
				}
			}
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
