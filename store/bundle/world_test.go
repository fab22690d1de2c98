package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
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
	size := 64 << 10
	for _, f := range files {
		size += len(f.data)
	}
	var out bytes.Buffer
	out.Grow(size) // to grow by steps takes longer than to encode
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

// newest returns the entries as a reader at random has them: the later one of a name,
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
	out := make([]byte, 0, len(f.data)+64<<10)
	e := NewEncoder(c, f.name, int64(len(f.data)), func(p []byte) error {
		if len(p) > maxMember {
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
		data, err := readAll(s, size)
		if err != nil {
			return files, err
		}
		if int64(len(data)) != size {
			return files, fmt.Errorf("%s: %d bytes instead of %d", name, len(data), size)
		}
		files = append(files, file{name, data})
	}
}

// readAll reads like io.ReadAll, into a buffer that need not grow if the size is right.
func readAll(r io.Reader, size int64) ([]byte, error) {
	b := bytes.NewBuffer(make([]byte, 0, min(max(size, 0), 8<<20)+bytes.MinRead))
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
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
		data, err := readAll(e, e.Size())
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
