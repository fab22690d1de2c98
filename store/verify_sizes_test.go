package store

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// graphOf adds the sizes of the blobs below a descriptor, each once.
func (s *sample) graphOf(t *testing.T, at ocispec.Descriptor, into map[digest.Digest]int64) {
	t.Helper()
	into[at.Digest] = at.Size
	for _, m := range s.manifests {
		if m.desc.Digest != at.Digest {
			continue
		}
		var below struct {
			Config    *ocispec.Descriptor  `json:"config"`
			Layers    []ocispec.Descriptor `json:"layers"`
			Manifests []ocispec.Descriptor `json:"manifests"`
		}
		if err := json.Unmarshal(m.data, &below); err != nil {
			t.Fatal(err)
		}
		if below.Config != nil {
			s.graphOf(t, *below.Config, into)
		}
		for _, b := range append(below.Layers, below.Manifests...) {
			s.graphOf(t, b, into)
		}
	}
}

// TestVerifyTellsTheSizesOfArtifacts: each artifact has the size of its graph. Referrers are no
// artifacts.
func TestVerifyTellsTheSizesOfArtifacts(t *testing.T) {
	s := newSample(t)
	want := make(map[string]int64)
	for _, e := range s.index.Entries {
		if e.Name != "example.com/app:v1" && e.Name != "example.com/app:amd64" {
			continue
		}
		graph := make(map[digest.Digest]int64)
		s.graphOf(t, e.Descriptor(), graph)
		for _, size := range graph {
			want[e.Name] += size
		}
	}
	path := filepath.Join(t.TempDir(), "x.tar")
	a := createArchive(t, path, bundle.None)
	s.writeArchive(t, a)
	if _, err := a.Commit(false); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]int64)
	_, err := Verify(t.Context(), openLayoutAt(t, path, OpenOptions{}), verify.Options{Artifact: func(reference string, _ digest.Digest, size func() int64) {
		got[reference] = size()
	}})
	if err != nil || !maps.Equal(got, want) || len(want) != 2 {
		t.Errorf("got %v, want %v, %v", got, want, err)
	}
}
