package store

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// sample is a small layout: two images that share a layer, an index over both,
// a signature of the index, and a signature of the signature.
type sample struct {
	index     *oci.Index
	manifests []item // children before parents, as a plan has them
	blobs     []item
}

type item struct {
	desc ocispec.Descriptor
	data []byte
}

func newItem(mediaType string, data []byte) item {
	return item{ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}, data}
}

// blob adds a blob, once, and returns its descriptor.
func (s *sample) blob(mediaType string, data []byte) ocispec.Descriptor {
	b := newItem(mediaType, data)
	for _, have := range s.blobs {
		if have.desc.Digest == b.desc.Digest {
			return b.desc
		}
	}
	s.blobs = append(s.blobs, b)
	return b.desc
}

func (s *sample) manifest(t testing.TB, m any) ocispec.Descriptor {
	t.Helper()
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var head struct{ MediaType string }
	unmarshal(t, string(data), &head)
	s.manifests = append(s.manifests, newItem(head.MediaType, data))
	return s.manifests[len(s.manifests)-1].desc
}

func (s *sample) image(t testing.TB, name string, subject *ocispec.Descriptor, layers ...[]byte) ocispec.Descriptor {
	t.Helper()
	m := ocispec.Manifest{
		MediaType: ocispec.MediaTypeImageManifest,
		Config:    s.blob(ocispec.MediaTypeImageConfig, []byte(`{"architecture":"amd64","name":"`+name+`"}`)),
		Subject:   subject,
	}
	m.SchemaVersion = 2
	for _, layer := range layers {
		m.Layers = append(m.Layers, s.blob(ocispec.MediaTypeImageLayerGzip, layer))
	}
	return s.manifest(t, m)
}

func (s *sample) put(desc ocispec.Descriptor, name string) {
	e := oci.Entry{MediaType: desc.MediaType, Digest: desc.Digest, Size: desc.Size, Name: name, Referrers: oci.ReferrersAll}
	if name == "" {
		e.Repositories = []string{"example.com/app"}
	}
	s.index.Put(e)
}

// layer returns content that looks compressed, so that a bundle does not compress it.
func layer(seed byte, n int) []byte {
	data := make([]byte, n)
	defer copy(data, "\x1f\x8b")
	x := uint32(seed) + 1
	for i := range data {
		x = x*1664525 + 1013904223
		data[i] = byte(x >> 24)
	}
	return data
}

func newSample(t testing.TB) *sample { return sampleWith(t, 70_001) }

// largeSample returns a sample whose largest blobs exceed a member of a bundle.
func largeSample(t testing.TB) *sample { return sampleWith(t, 1<<20+70_001) }

func sampleWith(t testing.TB, size int) *sample {
	t.Helper()
	s := &sample{index: new(oci.Index)}
	shared := layer(0, size)
	amd := s.image(t, "amd64", nil, shared, []byte{}, layer(1, 5000))
	arm := s.image(t, "arm64", nil, shared, bytes.Repeat([]byte("text "), size/5))
	amd.Platform = &ocispec.Platform{OS: "linux", Architecture: "amd64"}
	arm.Platform = &ocispec.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}
	list := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{amd, arm}}
	list.SchemaVersion = 2
	root := s.manifest(t, list)
	signature := s.image(t, "signature", &root, []byte("signed"))
	again := s.image(t, "again", &signature, []byte("signed twice"))
	s.put(root, "example.com/app:v1")
	s.put(amd, "example.com/app:amd64")
	s.put(signature, "")
	s.put(again, "")
	return s
}

func (s *sample) all() []item { return append(append([]item{}, s.manifests...), s.blobs...) }

// write stores all of the sample in a directory.
func (s *sample) write(t testing.TB, d *Dir) {
	t.Helper()
	for _, m := range s.manifests {
		if err := d.Push(m.desc, m.data); err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range s.blobs {
		ingest(t, d, b)
	}
	for _, e := range s.index.Entries {
		d.Index().Put(e)
	}
}

func ingest(t testing.TB, d *Dir, b item) {
	t.Helper()
	in, err := d.Ingest(b.desc)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if _, err := in.Write(b.data[in.Size():]); err != nil {
		t.Fatal(err)
	}
	if err := in.Commit(); err != nil {
		t.Fatal(err)
	}
}

// directory returns the path of a directory with the sample in it.
func (s *sample) directory(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "layout")
	d := openDir(t, path)
	s.write(t, d)
	commit(t, d)
	closeAll(t, d)
	return path
}

// archive returns the path of a bundle with the sample in it.
func (s *sample) archive(t testing.TB, name string, c bundle.Compression) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	a, err := CreateArchive(path, c)
	if err != nil {
		t.Fatal(err)
	}
	s.writeArchive(t, a)
	if got, err := a.Commit(false); err != nil || got != path {
		t.Fatalf("Commit = %q, %v", got, err)
	}
	return path
}

func (s *sample) writeArchive(t testing.TB, a *Archive) {
	t.Helper()
	for _, m := range s.manifests {
		if err := a.PutManifest(m.desc, m.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.PutIndex(s.index); err != nil {
		t.Fatal(err)
	}
	for _, b := range s.blobs {
		putBlob(t, a, b)
	}
}

func putBlob(t testing.TB, a *Archive, b item) {
	t.Helper()
	if err := a.Begin(b.desc); err != nil {
		t.Fatal(err)
	}
	writeEncoded(t, a, encoded(t, a, b))
	if err := a.End(); err != nil {
		t.Fatal(err)
	}
}

// encoded returns the bytes of a blob's entry.
func encoded(t testing.TB, a *Archive, b item) []byte {
	t.Helper()
	var out bytes.Buffer
	out.Grow(len(b.data) + 64<<10) // to grow by steps takes longer than to encode
	e := a.Encoder(b.desc, func(p []byte) error { out.Write(p); return nil })
	if _, err := e.Write(b.data); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// writeEncoded writes bytes in pieces that match no boundary.
func writeEncoded(t testing.TB, a *Archive, p []byte) {
	t.Helper()
	for len(p) > 0 {
		n := min(len(p), 77_777)
		if got, err := a.Write(p[:n]); err != nil || got != n {
			t.Fatalf("Write = %d, %v", got, err)
		}
		p = p[n:]
	}
}

func openDir(t testing.TB, path string) *Dir {
	t.Helper()
	d, err := OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func commit(t testing.TB, d *Dir) {
	t.Helper()
	if err := d.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func closeAll(t testing.TB, c interface{ Close() error }) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

func openLayoutAt(t testing.TB, path string, o OpenOptions) Layout {
	t.Helper()
	l, err := OpenLayout(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func writeFile(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
