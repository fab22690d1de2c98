package oci

import (
	"reflect"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// FuzzParseManifest: a manifest that declares its kind has that kind under any descriptor,
// and everything that a manifest references can be stored.
func FuzzParseManifest(f *testing.F) {
	child := `{"mediaType":"x","size":1,"digest":"` + string(digest.FromString("a")) + `"}`
	for _, text := range []string{
		`{"schemaVersion":2,"mediaType":"` + ocispec.MediaTypeImageIndex + `","manifests":[` + child + `]}`,
		`{"schemaVersion":2,"config":` + child + `,"layers":[` + child + `],"subject":` + child + `}`,
		`{"mediaType":"` + MediaTypeArtifact + `","blobs":[` + child + `]}`,
		`{"layers":[{"blob":"sha256:aa","parent":-1}],"records":[]}`,
		`{"manifests":[],"layers":[` + child + `]}`, `{}`, `[]`, `null`, `{"config":7}`, ` {`, ``,
	} {
		f.Add(ocispec.MediaTypeImageManifest, []byte(text))
		f.Add("application/json; charset=utf-8", []byte(text))
	}
	f.Fuzz(func(t *testing.T, declared string, data []byte) {
		m, err := ParseManifest(ocispec.Descriptor{MediaType: declared}, data)
		for _, other := range []string{"", ocispec.MediaTypeImageIndex, MediaTypeDockerManifest, "a/b"} {
			o, e := ParseManifest(ocispec.Descriptor{MediaType: other}, data)
			if !m.IsDeclared() && ((err == nil) != (e == nil) || err == nil && !reflect.DeepEqual(m, o)) {
				t.Fatalf("%q makes %+v, %v of it, %q %+v, %v", declared, m, err, other, o, e)
			}
		}
		if again, e := ParseManifest(ocispec.Descriptor{MediaType: m.MediaType}, data); err == nil && (e != nil || again.kind != m.kind || again.MediaType != m.MediaType) {
			t.Fatalf("under its own type %q it is %+v, not %+v: %v", m.MediaType, again, m, e)
		}
		if err != nil {
			return
		}
		for _, d := range append(m.Leaves(), m.Manifests...) {
			if d.Digest.Validate() != nil || d.Size < 0 {
				t.Fatalf("points at %+v", d)
			}
		}
	})
}
