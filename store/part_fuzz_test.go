package store

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// FuzzPart: whatever stands in the place of a part, there is no panic, the other part is read,
// and a blob that is there has the size that it is said to have, or an error.
func FuzzPart(f *testing.F) {
	s := smallParts()
	for number, pieces := range []map[string][]byte{s.pieces(0, 1000), s.pieces(1000, 2000), s.pieces(500, 1000), nil} {
		path := filepath.Join(f.TempDir(), "x.tgz")
		hostilePart(f, path, hostileSet(s.sample, number%2+1, 3000), s.sample, pieces)
		f.Add(readFile(f, path))
	}
	f.Add([]byte{})
	folder := f.TempDir()
	first, second := filepath.Join(folder, "x.001.tgz"), filepath.Join(folder, "x.002.tgz")
	hostilePart(f, first, hostileSet(s.sample, 1, 3000), s.sample, s.pieces(0, 1000))
	f.Fuzz(func(t *testing.T, data []byte) {
		writeFile(t, second, data)
		l, err := OpenUnion([]string{first, second}, func(path string) (Layout, error) { return OpenLayout(path, OpenOptions{TempDir: os.DevNull}) })
		if err != nil {
			if _, known := errors.AsType[*InputError](err); known {
				return
			}
			if _, known := errors.AsType[*ClashError](err); known {
				return
			}
			if _, known := errors.AsType[*OutputError](err); known { // no place to unpack it to
				return
			}
			t.Fatalf("%T: %v", err, err)
		}
		defer l.Close()
		for _, m := range s.manifests {
			if _, err := ReadManifest(l, m.desc); err != nil {
				t.Error(err)
			}
		}
		for _, b := range s.blobs {
			blob, err := l.Open(b.desc.Digest)
			if err != nil {
				continue
			}
			n, err := io.Copy(io.Discard, blob)
			if err == nil && n != blob.Size() {
				t.Errorf("a blob of %d bytes has %d", blob.Size(), n)
			}
			blob.Close()
		}
	})
}

// piecedSample is a sample with one blob of 3000 bytes in pieces.
type piecedSample struct{ *sample }

func smallParts() piecedSample {
	s := &sample{index: new(oci.Index)}
	m := newItem("application/vnd.oci.image.manifest.v1+json", []byte(`{"schemaVersion":2}`))
	s.manifests = append(s.manifests, m)
	s.put(m.desc, "example.com/app:v1")
	s.blob("", layer(5, 3000))
	return piecedSample{s}
}

// pieces returns the entry of a piece.
func (s piecedSample) pieces(at, size int64) map[string][]byte {
	b := s.blobs[0]
	return map[string][]byte{bundle.PieceName(b.desc.Digest, at): b.data[at : at+size]}
}
