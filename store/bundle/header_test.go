package bundle

import (
	"archive/tar"
	"bytes"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

var bundleNames = []string{
	LayoutFile, IndexFile,
	BlobName(digest.FromString("a")), BlobName(digest.SHA512.FromString("a")), BlobName(digest.SHA384.FromString("a")),
}

// TestHeader holds our headers to those that archive/tar makes.
func TestHeader(t *testing.T) {
	for _, name := range bundleNames {
		for _, size := range []int64{0, 1, 512, maxOctal, maxOctal + 1, maxSize} {
			h := &tar.Header{Name: name, Size: size, Mode: 0o644, Format: tar.FormatUSTAR}
			if len(name) > 100 || size > maxOctal {
				h.Format = tar.FormatGNU
			}
			var want bytes.Buffer
			if err := tar.NewWriter(&want).WriteHeader(h); err != nil {
				t.Fatal(err)
			}
			got := tarHeader(nil, name, size)
			if !bytes.Equal(got, want.Bytes()) {
				t.Fatalf("%s, %d bytes:\n%q\nwant\n%q", name, size, got, want.Bytes())
			}
			e, err := parseEntry(got, 0)
			if err != nil || e.name != name || e.size != size || e.length != int64(len(got)) {
				t.Errorf("%s, %d bytes reads as %+v, %v", name, size, e, err)
			}
		}
	}
}

func TestNames(t *testing.T) {
	for _, name := range bundleNames {
		key := appendKey(nil, name)
		if n, ok := keyLength(key); !ok || n != len(key) || keyName(key) != name || !inBundle(name) {
			t.Errorf("%s becomes %x and %s", name, key, keyName(key))
		}
	}
	for _, name := range []string{"", ".", "x", "index.json/", "blobs/sha256/00", "blobs/md5/00", "blobs/sha256/" + strings.Repeat("g", 64), "BLOBS"} {
		if key := appendKey(nil, name); inBundle(name) || keyName(key) != name {
			t.Errorf("%q becomes %x", name, key)
		}
	}
}
