package bundle

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// foreignEntries are entries that other tools put into a layout's tar.
var foreignEntries = []*tar.Header{
	{Typeflag: tar.TypeDir, Name: "./"},
	{Name: "./" + LayoutFile, Format: tar.FormatUSTAR},
	{Typeflag: tar.TypeDir, Name: "./blobs/sha256/"},
	{Name: blobFile([]byte("gnu")).name, Format: tar.FormatGNU},
	{Name: blobFile([]byte("pax")).name, Format: tar.FormatPAX, ModTime: time.Unix(1, 5), PAXRecords: map[string]string{"SCHILY.xattr.user.a": "b"}},
	{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"comment": strings.Repeat("0", 40)}},
	{Name: strings.Repeat("prefix/", 16) + "name", Format: tar.FormatUSTAR},
	{Name: strings.Repeat("long/", 50) + "name", Format: tar.FormatGNU},
	{Name: IndexFile},
}

// foreign is a tar whose files contain their names.
func foreign(t testing.TB, headers ...*tar.Header) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range headers {
		h := *h
		var content string
		if h.Typeflag == 0 {
			content = h.Name
		}
		h.Size = int64(len(content))
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func wrapGzip(t testing.TB, p []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(p); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func wrapZstd(t testing.TB, p []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll(p, nil)
}

// TestForeign reads what other tools write.
func TestForeign(t *testing.T) {
	var want []file
	for _, h := range foreignEntries {
		if h.Typeflag == 0 {
			want = append(want, file{strings.TrimPrefix(h.Name, "./"), []byte(h.Name)})
		}
	}
	archive := foreign(t, foreignEntries...)
	got, err := readRandom(archive)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, want, got)
	members := append(wrapGzip(t, archive[:1000]), wrapGzip(t, archive[1000:])...)
	for name, p := range map[string][]byte{"tar": archive, "gzip": wrapGzip(t, archive), "gzip twice": members, "zstd": wrapZstd(t, archive)} {
		got, err := readStream(iotest.HalfReader(bytes.NewReader(p)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		equal(t, want, got)
		if _, err := Open(bytes.NewReader(p), int64(len(p))); name != "tar" && !errors.Is(err, ErrForeign) {
			t.Errorf("%s at random: %v", name, err)
		}
	}
}

// TestForeignTruncation cuts foreign archives: what is compressed at every byte,
// a tar at and around every block.
func TestForeignTruncation(t *testing.T) {
	archive := foreign(t, foreignEntries...)
	for name, p := range map[string][]byte{"gzip": wrapGzip(t, archive), "zstd": wrapZstd(t, archive)} {
		for n := range len(p) {
			if _, err := readStream(bytes.NewReader(p[:n])); err == nil {
				t.Errorf("%s, %d of %d bytes: no error", name, n, len(p))
			} else {
				checkError(t, err)
			}
		}
	}
	for n := range len(archive) - tarBlock {
		if at := n % tarBlock; at > 1 && at < tarBlock-1 && at%101 != 0 {
			continue
		}
		for kind, read := range readers(archive[:n]) {
			if _, err := read(); err == nil {
				t.Fatalf("%d of %d bytes %s: no error", n, len(archive), kind)
			}
		}
	}
}

// TestSourceError: a pipe that breaks is no fault of the archive.
func TestSourceError(t *testing.T) {
	broken := errors.New("broken pipe")
	archive := foreign(t, foreignEntries...)
	for name, p := range map[string][]byte{
		"members": write(t, Gzip, small()), "tar": archive, "gzip": wrapGzip(t, archive), "zstd": wrapZstd(t, archive),
	} {
		for _, n := range []int{0, 10, len(p) / 2, len(p) - 1} {
			r := io.MultiReader(bytes.NewReader(p[:n]), iotest.ErrReader(broken))
			if _, err := readStream(r); !errors.Is(err, broken) {
				t.Errorf("%s breaks at %d: %v", name, n, err)
			}
		}
	}
}

// pieces is a file that has zeros where it has nothing.
type pieces map[int64][]byte

func (p pieces) ReadAt(b []byte, offset int64) (int, error) {
	clear(b)
	for at, data := range p {
		if at < offset+int64(len(b)) && offset < at+int64(len(data)) {
			from := max(at, offset)
			copy(b[from-offset:], data[from-at:])
		}
	}
	return len(b), nil
}

// TestLargeEntries reads entries over 8 GiB, whose size is written in two ways.
func TestLargeEntries(t *testing.T) {
	const size = 9<<30 + 1
	blob := blobFile([]byte("large")).name
	for _, format := range []tar.Format{tar.FormatGNU, tar.FormatPAX} {
		t.Run(format.String(), func(t *testing.T) {
			var header bytes.Buffer
			if err := tar.NewWriter(&header).WriteHeader(&tar.Header{Name: blob, Size: size, Format: format}); err != nil {
				t.Fatal(err)
			}
			begin := int64(header.Len())
			next := begin + size + padding(size)
			last := foreign(t, &tar.Header{Name: IndexFile})
			p := pieces{0: header.Bytes(), begin + size - 4: []byte("last"), next: last}
			a, err := Open(p, next+int64(len(last)))
			if err != nil {
				t.Fatal(err)
			}
			e, err := a.Open(blob)
			if err != nil {
				t.Fatal(err)
			}
			if offset, ok := e.Section(); e.Size() != size || offset != begin || !ok {
				t.Errorf("%d bytes at %d", e.Size(), offset)
			}
			if n, err := a.Stat(IndexFile); err != nil || n != int64(len(IndexFile)) {
				t.Errorf("behind it are %d bytes, %v", n, err)
			}
			if _, err := Open(p, begin+size-1); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("cut off: %v", err)
			}
		})
	}
}

// TestSparse: the bytes of a sparse file are not where its header says.
func TestSparse(t *testing.T) {
	for _, version := range []string{"0", "1"} {
		t.Run(version, func(t *testing.T) { refused(t, sparse(version)) })
	}
}

// sparse is a tar by hand: archive/tar writes no sparse files.
func sparse(version string) []byte {
	record := func(key, value string) string {
		for n := 0; ; n++ {
			if s := fmt.Sprintf("%d %s=%s\n", n, key, value); len(s) == n {
				return s
			}
		}
	}
	block := func(s string) []byte { return append([]byte(s), make([]byte, padding(int64(len(s))))...) }
	records := record("GNU.sparse.major", version) + record("GNU.sparse.minor", "0") +
		record("GNU.sparse.name", IndexFile) + record("GNU.sparse.realsize", "4")
	content := "1\n0\n4\n"
	if version == "0" {
		records = record("GNU.sparse.size", "4") + record("GNU.sparse.numblocks", "1") + record("GNU.sparse.map", "0,4")
		content = ""
	}
	p := append(appendTarBlock(nil, "PaxHeaders/x", 'x', int64(len(records)), false), block(records)...)
	data := "data"
	if content != "" {
		data = string(block(content)) + data
	}
	p = append(appendTarBlock(p, IndexFile, '0', int64(len(data)), false), block(data)...)
	return append(p, make([]byte, tarEnd)...)
}

// TestZstdWindow: a frame may not ask for any memory that it likes.
func TestZstdWindow(t *testing.T) {
	const gigabyte = 20 << 3 // 2^(10+20) bytes, RFC 8878, section 3.1.1.1.2
	frame := []byte{0x28, 0xb5, 0x2f, 0xfd, 0, gigabyte, 1, 0, 0}
	used := allocated(func() {
		var format *FormatError
		if err := drain(bytes.NewReader(frame)); !errors.As(err, &format) {
			t.Errorf("%v", err)
		}
	})
	if used > 64<<20 {
		t.Errorf("took %d bytes", used)
	}
}

// TestEntriesOutsideALayoutAreSkipped: links and devices of other names.
func TestEntriesOutsideALayoutAreSkipped(t *testing.T) {
	blob := blobFile([]byte("blob")).name
	archive := foreign(t, &tar.Header{Name: LayoutFile}, &tar.Header{Name: blob},
		&tar.Header{Typeflag: tar.TypeLink, Name: "cache/x", Linkname: blob},
		&tar.Header{Typeflag: tar.TypeLink, Name: blob, Linkname: "./" + blob}, // tar was given it twice
		&tar.Header{Typeflag: tar.TypeSymlink, Name: "blobs/latest", Linkname: "/etc/passwd"},
		&tar.Header{Typeflag: tar.TypeChar, Name: "dev/null"}, &tar.Header{Typeflag: tar.TypeFifo, Name: "blobs/pipe"},
		&tar.Header{Name: IndexFile})
	want := []string{LayoutFile, blob, IndexFile}
	for _, wrap := range []func(testing.TB, []byte) []byte{asIs, wrapGzip, wrapZstd} {
		if got := namesOf(t, wrap(t, archive)); !slices.Equal(got, want) {
			t.Errorf("a stream has %q", got)
		}
	}
	r, err := Open(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for name := range r.Entries() {
		got = append(got, name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("a file has %q", got)
	}
}

func asIs(_ testing.TB, p []byte) []byte { return p }

func namesOf(t *testing.T, archive []byte) []string {
	t.Helper()
	s, err := NewStream(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var names []string
	for {
		name, _, err := s.Next()
		if err == io.EOF {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
}

// TestLinksAreFollowedInAFile: GNU tar writes a file that has two names once, and a link.
func TestLinksAreFollowedInAFile(t *testing.T) {
	one, two, three := blobFile([]byte("one")).name, blobFile([]byte("two")).name, blobFile([]byte("three")).name
	archive := foreign(t, &tar.Header{Name: "cache/one"}, &tar.Header{Name: LayoutFile},
		&tar.Header{Typeflag: tar.TypeLink, Name: one, Linkname: "cache/one"},
		&tar.Header{Typeflag: tar.TypeSymlink, Name: two, Linkname: "../../cache/two"},
		&tar.Header{Typeflag: tar.TypeLink, Name: three, Linkname: "nowhere"},
		&tar.Header{Name: "cache/two"}, &tar.Header{Name: IndexFile})
	r, err := Open(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{one: "cache/one", two: "cache/two"} {
		e, err := r.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(e)
		if size, _ := r.Stat(name); err != nil || string(data) != want || size != int64(len(want)) {
			t.Errorf("%s has %q, %v", name, data, err)
		}
	}
	if _, err := r.Open(three); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a link to nothing: %v", err)
	}
	s, err := NewStream(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for err == nil {
		_, _, err = s.Next()
	}
	var link *LinkError
	if !errors.As(err, &link) || link.Name != one {
		t.Errorf("a stream: %v", err)
	}
}
