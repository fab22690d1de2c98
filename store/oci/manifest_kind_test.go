package oci

import (
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// TestKindOfAManifestComesFromItsBytes: the kind comes from its media type, else from its
// structure, else from a descriptor.
func TestKindOfAManifestComesFromItsBytes(t *testing.T) {
	child := `{"mediaType":"x","size":1,"digest":"` + string(digest.FromString("a")) + `"}`
	image, index, docker, list := ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex, MediaTypeDockerManifest, MediaTypeDockerList
	for _, tt := range []struct {
		declared, text, want    string
		index, known, undecided bool
	}{
		{image, `{"mediaType":"` + index + `","manifests":[` + child + `]}`, index, true, true, false},
		{index, `{"mediaType":"` + docker + `","layers":[` + child + `]}`, docker, false, true, false},
		{image, `{"manifests":[` + child + `]}`, index, true, true, true},
		{list, `{"manifests":[` + child + `]}`, list, true, true, true},
		{strings.ToUpper(list) + " ; charset=utf-8", `{"manifests":[]}`, list, true, true, true},
		{"application/json", `{"manifests":[]}`, index, true, true, true},
		{"", `{"config":` + child + `,"layers":[]}`, image, false, true, true},
		{index, `{"layers":[` + child + `]}`, image, false, true, true},
		{image, `{"blobs":[` + child + `]}`, MediaTypeArtifact, false, true, true},
		{"x/y", `{"mediaType":"a/b","manifests":[` + child + `]}`, "a/b", true, true, false},
		{index, `{"manifests":[` + child + `],"layers":[` + child + `]}`, index, true, true, true},
		{docker, `{"manifests":[` + child + `],"layers":[` + child + `]}`, docker, false, true, true},
		{"x/y", `{"manifests":[` + child + `],"layers":[` + child + `]}`, "x/y", false, false, true},
		{"x/y", `{"layers":[{"blob":"sha256:aa"}],"config":"text"}`, "x/y", false, false, true},
		{docker, `{"schemaVersion":2}`, docker, false, true, true},
		{"x/y", `{"schemaVersion":2,"mediaType":"a/b"}`, "a/b", false, false, true},
		{"x/y", `text`, "x/y", false, false, true},
	} {
		m, err := ParseManifest(ocispec.Descriptor{MediaType: tt.declared}, []byte(tt.text))
		if err != nil || m.MediaType != tt.want || m.IsIndex() != tt.index || m.IsKnown() != tt.known || m.IsDeclared() != tt.undecided {
			t.Errorf("%q, %s: %q, index %v, known %v, declared %v, %v", tt.declared, tt.text, m.MediaType, m.IsIndex(), m.IsKnown(), m.IsDeclared(), err)
		}
	}
}

func TestSuccessors(t *testing.T) {
	d := func(s string) string {
		return `{"mediaType":"x","size":1,"digest":"` + string(digest.FromString(s)) + `"}`
	}
	for name, tt := range map[string]struct {
		mediaType, text string
		want            []string
		subject         string
		bad             bool
	}{
		"image":                       {ocispec.MediaTypeImageManifest, `{"config":` + d("c") + `,"layers":[` + d("l") + `,` + d("m") + `],"subject":` + d("s") + `}`, []string{"c", "l", "m"}, "s", false},
		"image, no config":            {ocispec.MediaTypeImageManifest, `{"layers":[` + d("l") + `]}`, []string{"l"}, "", false},
		"docker":                      {MediaTypeDockerManifest, `{"config":` + d("c") + `,"layers":[` + d("l") + `]}`, []string{"c", "l"}, "", false},
		"index":                       {ocispec.MediaTypeImageIndex, `{"manifests":[` + d("a") + `],"subject":` + d("s") + `}`, []string{"a"}, "s", false},
		"list":                        {MediaTypeDockerList, `{"manifests":[` + d("a") + `]}`, []string{"a"}, "", false},
		"retired artifact":            {MediaTypeArtifact, `{"blobs":[` + d("b") + `],"subject":` + d("s") + `}`, []string{"b"}, "s", false},
		"type in the bytes":           {"", `{"mediaType":"` + ocispec.MediaTypeImageIndex + `","manifests":[` + d("a") + `]}`, []string{"a"}, "", false},
		"anything else":               {"text/plain", `hello`, nil, "", false},
		"layers of an index are none": {"", `{"mediaType":"` + ocispec.MediaTypeImageIndex + `","layers":[` + d("l") + `]}`, nil, "", false},
		"no JSON":                     {ocispec.MediaTypeImageManifest, `hello`, nil, "", true},
		"bad digest":                  {ocispec.MediaTypeImageManifest, `{"layers":[{"digest":"sha256:../x","size":1}]}`, nil, "", true},
		"bad subject":                 {ocispec.MediaTypeImageManifest, `{"subject":{"digest":"","size":1}}`, nil, "", true},
		"negative size":               {ocispec.MediaTypeImageIndex, `{"manifests":[{"digest":"` + string(digest.FromString("a")) + `","size":-1}]}`, nil, "", true},
	} {
		children, subject, err := Successors(ocispec.Descriptor{MediaType: tt.mediaType}, []byte(tt.text))
		if (err != nil) != tt.bad {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		var want []digest.Digest
		for _, s := range tt.want {
			want = append(want, digest.FromString(s))
		}
		var got []digest.Digest
		for _, c := range children {
			got = append(got, c.Digest)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v", name, got)
		}
		if (subject == nil) != (tt.subject == "") || subject != nil && subject.Digest != digest.FromString(tt.subject) {
			t.Errorf("%s: subject %v", name, subject)
		}
	}
}

// Successors returns what a manifest references: its children, in order, and its subject,
// if it is a referrer.
func Successors(desc ocispec.Descriptor, data []byte) (children []ocispec.Descriptor, subject *ocispec.Descriptor, err error) {
	m, err := ParseManifest(desc, data)
	return slices.Concat(m.Leaves(), m.Manifests), m.Subject, err
}
