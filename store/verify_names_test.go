package store

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

func TestDigestInANameIsThatOfTheManifest(t *testing.T) {
	s := newSample(t)
	image := s.index.Entries[1]
	data := s.manifests[0].data
	if image.Digest != s.manifests[0].desc.Digest {
		t.Fatal("the sample has changed")
	}
	const repository = "example.com/other@"
	for _, tt := range []struct {
		name string
		ok   bool
	}{
		{repository + string(image.Digest), true},
		{repository + string(digest.SHA512.FromBytes(data)), true},
		{repository + string(digest.FromString("else")), false},
		{repository + string(digest.SHA512.FromString("else")), false},
		{"example.com/other:v1@" + string(digest.FromString("else")), false},
		{"example.com/other:v1@" + string(image.Digest), true},
	} {
		e := image
		e.Name = tt.name
		copied := newSample(t)
		copied.index.Put(e)
		v := verdict(t, copied)
		if tt.ok != (len(v.Faults) == 0) {
			t.Errorf("%s: %v", tt.name, v.Faults)
		}
		for _, f := range v.Faults {
			if wrong, ok := f.Err.(*oci.NameError); !ok || wrong.Name != tt.name || f.Reference != tt.name {
				t.Errorf("%s: %+v", tt.name, f)
			}
		}
	}
	// A name of another algorithm does not hide that the manifest itself is damaged.
	e := image
	e.Name = repository + string(digest.SHA512.FromBytes(data))
	s.index.Put(e)
	path := s.directory(t)
	writeFile(t, filepath.Join(path, bundle.BlobName(image.Digest)), []byte(strings.Repeat("x", len(data))))
	v, err := Verify(t.Context(), openLayoutAt(t, path, OpenOptions{}), verify.Options{})
	if err != nil || len(v.Faults) == 0 {
		t.Errorf("%+v, %v", v, err)
	}
}
