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
	"os"
	"os/exec"
	"path/filepath"
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
		withoutTable := archive[:bytes.LastIndex(archive, appendStored(nil, make([]byte, 2*tarBlock)))+len(appendStored(nil, make([]byte, 2*tarBlock)))]
		if got, err = readRandom(withoutTable); err != nil {
			t.Fatal("without a table:", err)
		}
		equal(t, files, got)
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
	const want = "424d2cff7e136cd9483fb26a2c80e5b8e24eae907128a1380f2ff101fbd60774"
	if got := fmt.Sprintf("%x", sha256.Sum256(write(t, Gzip, sample()))); got != want {
		t.Errorf("sha256 is %s, want %s", got, want)
	}
}

// TestChunks makes the same members whatever the sizes of the writes.
func TestChunks(t *testing.T) {
	for _, f := range sample() {
		var want []byte
		for _, chunk := range []int{1 << 30, 64 << 10, 4097, 3} {
			if chunk == 3 && len(f.data) > 1<<20 {
				continue
			}
			var got []byte
			e := NewEncoder(Gzip, f.name, int64(len(f.data)), func(p []byte) error { got = append(got, p...); return nil })
			for rest := f.data; len(rest) > 0; {
				n := min(chunk, len(rest))
				if _, err := e.Write(rest[:n]); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			if want == nil {
				want = got
			} else if !bytes.Equal(got, want) {
				t.Errorf("%s: writes of %d bytes make other members", f.name, chunk)
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
// for the whole.
func TestTruncation(t *testing.T) {
	files := []file{{LayoutFile, []byte("{}")}, blobFile([]byte("one")), {IndexFile, []byte("{}")}, blobFile([]byte("BZh two"))}
	for _, c := range []Compression{Gzip, None} {
		archive := write(t, c, files)
		for n := range len(archive) {
			if got, err := readStream(bytes.NewReader(archive[:n])); err == nil && len(got) < len(files) {
				t.Errorf("%d of %d bytes read as a stream: %d entries and no error", n, len(archive), len(got))
			}
			if got, err := readRandom(archive[:n]); err == nil && len(got) < len(files) {
				t.Errorf("%d of %d bytes read at random: %d entries and no error", n, len(archive), len(got))
			}
		}
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

func TestHostileNames(t *testing.T) {
	for _, h := range []*tar.Header{
		{Typeflag: tar.TypeReg, Name: "../evil"},
		{Typeflag: tar.TypeReg, Name: "blobs/../../evil"},
		{Typeflag: tar.TypeReg, Name: "/etc/passwd"},
		{Typeflag: tar.TypeSymlink, Name: "blobs/x", Linkname: "/etc/passwd"},
		{Typeflag: tar.TypeLink, Name: "blobs/x", Linkname: "oci-layout"},
		{Typeflag: tar.TypeChar, Name: "blobs/x"},
		{Typeflag: tar.TypeFifo, Name: "blobs/x"},
	} {
		archive := hostile(t, h)
		var format *FormatError
		if _, err := readStream(bytes.NewReader(archive)); !errors.As(err, &format) {
			t.Errorf("%s as a stream: %v", h.Name, err)
		}
		if _, err := readRandom(archive); !errors.As(err, &format) {
			t.Errorf("%s at random: %v", h.Name, err)
		}
	}
}

// TestBomb holds members against what they say of themselves.
func TestBomb(t *testing.T) {
	bomb := appendDeflated(nil, make([]byte, memberData))
	for name, change := range map[string]func([]byte){
		"inflates to more": func(p []byte) { p[20], p[21], p[22] = 1, 0, 0 },
		"inflates to less": func(p []byte) { p[22] = 0x20 },
		"longer":           func(p []byte) { p[16]++ },
		"shorter":          func(p []byte) { p[16]-- },
		"huge":             func(p []byte) { p[19] = 0x7f },
		"tiny":             func(p []byte) { p[16], p[17] = 1, 0 },
	} {
		t.Run(name, func(t *testing.T) {
			broken := bytes.Clone(bomb)
			change(broken)
			var format *FormatError
			if _, err := readStream(bytes.NewReader(broken)); !errors.As(err, &format) {
				t.Errorf("as a stream: %v", err)
			}
			if _, err := readRandom(broken); !errors.As(err, &format) {
				t.Errorf("at random: %v", err)
			}
		})
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

// TestTools reads a bundle with what people have.
func TestTools(t *testing.T) {
	files := sample()
	dir := t.TempDir()
	path := filepath.Join(dir, "bundle.tgz")
	if err := os.WriteFile(path, write(t, Gzip, files), 0o600); err != nil {
		t.Fatal(err)
	}
	tools := [][]string{
		{"gzip", "-t", path},
		{"pigz", "-t", path},
		{"tar", "tzf", path},
		{"bsdtar", "tzf", path},
		{"busybox", "tar", "tzf", path},
		{"busybox", "gzip", "-t", path},
		{"python3", "-c", "import tarfile,sys; print('\\n'.join(tarfile.open(sys.argv[1]).getnames()))", path},
	}
	for _, tool := range tools {
		t.Run(tool[0]+" "+tool[1], func(t *testing.T) {
			if _, err := exec.LookPath(tool[0]); err != nil {
				t.Skipf("%s is not installed", tool[0])
			}
			out, err := exec.Command(tool[0], tool[1:]...).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if tool[1] == "-t" || tool[1] == "gzip" {
				return
			}
			var names []string
			for _, f := range files {
				names = append(names, f.name)
			}
			if got := strings.Fields(string(out)); strings.Join(got, " ") != strings.Join(names, " ") {
				t.Errorf("lists %v, want %v", got, names)
			}
		})
	}
	t.Run("tar xzf", func(t *testing.T) {
		if out, err := exec.Command("tar", "xzf", path, "-C", dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for _, f := range files {
			if data, err := os.ReadFile(filepath.Join(dir, f.name)); err != nil || !bytes.Equal(data, f.data) {
				t.Errorf("%s: %d bytes, %v", f.name, len(data), err)
			}
		}
	})
}
