package store

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"

	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// TestGoodCopyOfABlobCounts checks that a bad copy before or after it does not matter, in
// a file and in a pipe.
func TestGoodCopyOfABlobCounts(t *testing.T) {
	s := newSample(t)
	good := s.blobs[1]
	others := slices.Concat(s.blobs[:1], s.blobs[2:])
	bad := bytes.Clone(good.data)
	bad[100] ^= 1
	name := bundle.BlobName(good.desc.Digest)
	for order, copies := range map[string][][]byte{
		"good, bad":      {good.data, bad},
		"bad, good":      {bad, good.data},
		"bad, good, bad": {bad, good.data, bad[:50]},
		"bad, bad":       {bad, bad[:50]},
	} {
		for _, c := range []bundle.Compression{bundle.None, bundle.Gzip} {
			path := filepath.Join(t.TempDir(), "x")
			a := createArchive(t, path, c)
			rest := *s
			rest.blobs = others
			rest.writeArchive(t, a)
			for _, data := range copies {
				if err := a.out.Put(name, data); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := a.Commit(false); err != nil {
				t.Fatal(err)
			}
			l := openLayoutAt(t, path, OpenOptions{})
			v, err := Verify(t.Context(), l, verify.Options{})
			if err != nil || (len(v.Faults) == 0) != (order != "bad, bad") {
				t.Errorf("%s: %+v, %v", order, v, err)
			}
			if size, err := l.Stat(good.desc.Digest); order != "bad, bad" && (err != nil || size != good.desc.Size) {
				t.Errorf("%s: a blob of %d bytes, %v", order, size, err)
			}
			if c == bundle.None {
				compareStream(t, path, v)
			}
		}
	}
}
