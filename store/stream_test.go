package store

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"testing"
	"testing/iotest"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// noSpool makes spooling fail.
func noSpool(t *testing.T) OpenOptions {
	return OpenOptions{TempDir: filepath.Join(t.TempDir(), "absent")}
}

func openStreamOf(t *testing.T, data []byte) *Stream {
	t.Helper()
	in, err := OpenStream(iotest.HalfReader(bytes.NewReader(data)), noSpool(t))
	if err != nil {
		t.Fatal(err)
	}
	s, ok := in.(*Stream)
	if !ok {
		t.Fatalf("%T", in)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStream(t *testing.T) {
	want := largeSample(t)
	for name, c := range compressions {
		s := openStreamOf(t, readFile(t, want.archive(t, name, c)))
		if got := indexText(t, s.Index()); got != indexText(t, want.index) {
			t.Errorf("%s: %s", name, got)
		}
		for _, m := range want.manifests {
			if data, err := s.Manifest(m.desc.Digest); err != nil || !bytes.Equal(data, m.data) {
				t.Errorf("%s: Manifest: %.100q, %v", name, data, err)
			}
		}
		if _, err := s.Manifest(want.blobs[0].desc.Digest); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a manifest that is none: %v", name, err)
		}
		for i, b := range want.blobs {
			d, size, err := s.Next()
			if err != nil || d != b.desc.Digest || size != b.desc.Size {
				t.Fatalf("%s: blob %d: %s, %d, %v", name, i, d, size, err)
			}
			if i%2 == 1 {
				continue // what is not read is skipped
			}
			if data, err := io.ReadAll(s); err != nil || !bytes.Equal(data, b.data) {
				t.Errorf("%s: blob %d: %d bytes, %v", name, i, len(data), err)
			}
		}
		if _, _, err := s.Next(); err != io.EOF {
			t.Errorf("%s: at the end: %v", name, err)
		}
	}
}

func TestStreamTakesASecondIndex(t *testing.T) {
	want := newSample(t)
	less := new(oci.Index)
	less.Put(want.index.Entries[1])
	var out bytes.Buffer
	a := streamArchive(&out, bundle.Gzip)
	want.writeArchive(t, a)
	if err := a.PutIndex(less); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Commit(true); err != nil {
		t.Fatal(err)
	}
	s := openStreamOf(t, out.Bytes())
	for range want.blobs {
		if _, _, err := s.Next(); err != nil {
			t.Fatal(err)
		}
		if got := len(s.Index().Entries); got != len(want.index.Entries) {
			t.Fatalf("%d entries before the second index.json", got)
		}
	}
	if _, _, err := s.Next(); err != io.EOF {
		t.Errorf("%v", err)
	}
	if got := indexText(t, s.Index()); got != indexText(t, less) {
		t.Errorf("index.json is %s", got)
	}
}

func TestStreamTruncated(t *testing.T) {
	want := newSample(t)
	for name, c := range compressions {
		data := readFile(t, want.archive(t, name, c))
		for _, end := range []int{len(data) * 9 / 10, len(data) - 2048} {
			s := openStreamOf(t, data[:end])
			var err error
			for err == nil {
				if _, _, err = s.Next(); err == nil {
					_, err = io.Copy(io.Discard, s)
				}
			}
			var input *InputError
			if !errors.As(err, &input) {
				t.Errorf("%s cut at %d of %d: %v", name, end, len(data), err)
			}
		}
	}
}

func TestOpenStreamErrors(t *testing.T) {
	for name, tt := range badInputs(t) {
		temp := t.TempDir()
		in, err := OpenStream(bytes.NewReader(tt.data), OpenOptions{TempDir: temp, Name: "the pipe"})
		if s, ok := in.(*Stream); ok { // it is cut behind its index.json
			for in = nil; err == nil; {
				if _, _, err = s.Next(); err == nil {
					_, err = io.Copy(io.Discard, s)
				}
			}
		}
		checkInputError(t, name, "the pipe", tt.want, in, err)
		if got := names(t, temp); len(got) > 0 {
			t.Errorf("%s: left %q", name, got)
		}
	}
}

// An archive in another order is spooled, wherever the order differs.
func TestStreamSpoolsForeignOrders(t *testing.T) {
	s := newSample(t)
	directory := s.directory(t)
	var files []string
	add := func(name string, data []byte) { files = append(files, name, string(data)) }
	manifests := func() {
		for _, m := range s.manifests {
			add(bundle.BlobName(m.desc.Digest), m.data)
		}
	}
	blobs := func() {
		for _, b := range s.blobs {
			add(bundle.BlobName(b.desc.Digest), b.data)
		}
	}
	layout := func() { add(bundle.LayoutFile, []byte(layoutFile)) }
	index := func() { add(bundle.IndexFile, []byte(indexText(t, s.index))) }
	other := func() { add("manifest.json", []byte("docker's")) }
	for name, order := range map[string][]func(){
		"layout last":          {index, manifests, blobs, layout},
		"index last":           {layout, other, manifests, blobs, index},
		"blobs first":          {layout, blobs, manifests, index},
		"manifests at the end": {layout, index, blobs, manifests},
		"index first":          {index, layout, manifests, blobs},
	} {
		files = nil
		for _, part := range order {
			part()
		}
		testSpooled(t, s, name, tarOf(t, files...))
	}
	files = nil
	for _, part := range []func(){layout, manifests, other, index, other, blobs, other} {
		part()
	}
	openStreamOf(t, tarOf(t, files...)) // our order, from another tool
	for name, wrap := range map[string]compress{"tar": plainTar, "tar.gz": gzipTar, "tar.zst": zstdTar} {
		testSpooled(t, s, name, readFile(t, foreignTar(t, directory, wrap)))
	}
}

func testSpooled(t *testing.T, s *sample, name string, data []byte) {
	t.Helper()
	temp := t.TempDir()
	var told []int64
	in, err := OpenStream(bytes.NewReader(data), OpenOptions{TempDir: temp, Spooling: func(n int64) { told = append(told, n) }})
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	l, ok := in.(Layout)
	if !ok || len(told) != 1 || told[0] != -1 {
		t.Errorf("%s: %T, told of %d", name, in, told)
		return
	}
	testLayout(t, s, l)
	if got := names(t, temp); len(got) > 0 {
		t.Errorf("%s: left %q", name, got)
	}
}

// A child that was not selected may be absent, a selected one may not.
func TestStreamOfASparseIndex(t *testing.T) {
	for platforms, stream := range map[string]bool{"linux/amd64": true, "linux/arm64": false, "": false} {
		s := newSample(t)
		arm := s.manifests[1]
		s.manifests = append(s.manifests[:1:1], s.manifests[2:]...)
		for i := range s.index.Entries {
			s.index.Entries[i].Platforms = platforms
		}
		data := readFile(t, s.archive(t, "x.tar", bundle.None))
		in, err := OpenStream(bytes.NewReader(data), OpenOptions{TempDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := in.(*Stream); ok != stream {
			t.Errorf("%q without %s: %T", platforms, arm.desc.Digest, in)
		}
		closeAll(t, in)
	}
}

// A manifest with wrong bytes counts as absent, and is no reason to spool.
func TestStreamWithACorruptManifest(t *testing.T) {
	s := newSample(t)
	bad := s.manifests[0]
	var out bytes.Buffer
	a := streamArchive(&out, bundle.Gzip)
	a.have[bad.desc.Digest] = true // PutManifest would refuse its bytes
	wrong := append(bytes.Clone(bad.data), ' ')
	if err := errors.Join(a.begin(), a.out.Put(bundle.BlobName(bad.desc.Digest), wrong)); err != nil {
		t.Fatal(err)
	}
	s.writeArchive(t, a)
	if _, err := a.Commit(false); err != nil {
		t.Fatal(err)
	}
	in := openStreamOf(t, out.Bytes())
	if data, err := in.Manifest(bad.desc.Digest); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%q, %v", data, err)
	}
	r, err := VerifyStream(t.Context(), in, verify.Options{})
	var gone *verify.MissingError
	if err != nil || len(r.Faults) != 2 || r.Faults[0].Digest != bad.desc.Digest || !errors.As(r.Faults[0].Err, &gone) {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestHeldIsPackedAndKept(t *testing.T) {
	h := newManifestCache()
	var want []item
	for i := range 50 {
		m := newItem(ocispec.MediaTypeImageManifest, bytes.Repeat([]byte{byte('a' + i%20)}, 100*i))
		want = append(want, m)
		if err := h.add(m.desc.Digest, m.data); err != nil {
			t.Fatal(err)
		}
	}
	if h.bytes > 50*(200+manifestOverhead) {
		t.Errorf("%d bytes", h.bytes)
	}
	for _, m := range want {
		if data, err := h.get(m.desc.Digest); err != nil || !bytes.Equal(data, m.data) {
			t.Errorf("%d bytes, %v", len(data), err)
		}
	}
	if _, err := h.get(digest.FromString("absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
}
