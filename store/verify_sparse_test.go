package store

import (
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func TestVerifySparseIndexes(t *testing.T) {
	for platforms, faults := range map[string]int{"": 1, "linux/amd64": 0, "linux/arm64": 1, "linux/arm64/v8": 1, "linux/amd64,windows/amd64": 0} {
		s := newSample(t)
		s.manifests = drop(s.manifests, s.manifests[1].desc.Digest)
		for i := range s.index.Entries {
			s.index.Entries[i].Platforms = platforms
		}
		if r := verdict(t, s); len(r.Faults) != faults {
			t.Errorf("%q: %v", platforms, r.Faults)
		}
	}
}

// TestVerifyKnowsEverySpellingOfAPlatform removes one image of an index: verify misses it if
// the entry selects its platform, however the index and the entry spell that.
func TestVerifyKnowsEverySpellingOfAPlatform(t *testing.T) {
	for _, tt := range []struct {
		entry, image string
		want         bool
	}{
		{"linux/amd64", "linux/x86_64", true}, {"linux/arm64", "Linux/aarch64", true},
		{"linux/arm/v7", "linux/arm/7", true}, {"linux/arm/v7", "linux/arm", true}, {"linux/arm/v6", "linux/arm", false},
		{"linux/arm64/v8", "linux/arm64", true}, {"linux/arm64/v8", "linux/arm64/v9", false},
		{"linux/amd64,linux/arm64/v9", "linux/arm64/v9", true}, {"linux/amd64/v1", "linux/amd64/v3", false},
		{"linux/x86_64", "linux/amd64", true}, {"Linux/AARCH64", "linux/arm64", true}, {"linux/arm64/8", "linux/arm64", true},
		{"linux/arm/7", "linux/arm/v7", true}, {"windows/amd64,linux/i386", "linux/386", true}, {"all", "linux/s390x", true},
		{"linux/x86_64", "linux/arm64", false}, {"linux", "linux/amd64", false},
	} {
		s := newSample(t)
		part := append(strings.Split(tt.image, "/"), "")
		gone := newItem(ocispec.MediaTypeImageManifest, []byte("gone")).desc
		gone.Platform = &ocispec.Platform{OS: part[0], Architecture: part[1], Variant: part[2]}
		index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{gone}}
		s.put(s.manifest(t, index), "example.com/sparse:v1")
		s.index.Entries[len(s.index.Entries)-1].Platforms = tt.entry
		if r := verdict(t, s); (len(r.Faults) == 1) != tt.want {
			t.Errorf("%s of an entry that selects %s is gone: %v", tt.image, tt.entry, r.Faults)
		}
	}
}

// TestVerifySparseAttestations: an attestation is selected with its image, and no other way.
func TestVerifySparseAttestations(t *testing.T) {
	for name, tt := range map[string]struct {
		image *ocispec.Platform
		of    string // what the image is itself
		want  int
	}{
		"of a selected image":               {&ocispec.Platform{OS: "linux", Architecture: "x86_64"}, "", 1},
		"of another image":                  {&ocispec.Platform{OS: "linux", Architecture: "arm64"}, "", 0},
		"of an image for whatever platform": {nil, "", 1},
		"of an image for unknown":           {&ocispec.Platform{OS: "unknown", Architecture: "unknown"}, "", 1},
		"of an attestation":                 {&ocispec.Platform{OS: "unknown", Architecture: "unknown"}, "attestation-manifest", 0},
	} {
		s := newSample(t)
		image := s.blobs[0].desc
		image.Platform = tt.image
		if tt.of != "" {
			image.Annotations = map[string]string{"vnd.docker.reference.type": tt.of}
		}
		gone := newItem(ocispec.MediaTypeImageManifest, []byte("gone")).desc
		gone.Platform = &ocispec.Platform{OS: "unknown", Architecture: "unknown"}
		gone.Annotations = map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image.Digest.String()}
		index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{image, gone}}
		s.put(s.manifest(t, index), "example.com/sparse:v1")
		s.index.Entries[len(s.index.Entries)-1].Platforms = "linux/amd64"
		if r := verdict(t, s); len(r.Faults) != tt.want {
			t.Errorf("%s: %v", name, r.Faults)
		}
	}
}

// A manifest that was not selected but is present is verified, and is not left over.
func TestVerifyMoreThanASparseIndexNeeds(t *testing.T) {
	s := newSample(t)
	for i := range s.index.Entries {
		s.index.Entries[i].Platforms = "linux/amd64"
	}
	if r := verdict(t, s); len(r.Faults) > 0 || r.LeftOver > 0 {
		t.Errorf("%+v", r)
	}
	s.blobs[5].data = s.blobs[5].data[1:]
	if r := verdict(t, s); len(r.Faults) == 0 {
		t.Error("a fault in what was not selected is not seen")
	}
}

// Layers that a registry need not have may be absent; if present, they count.
func TestVerifyForeignLayers(t *testing.T) {
	for name, urls := range map[string][]string{"with an address": {"https://example.com/layer"}, "without": nil} {
		s := newSample(t)
		absent := newItem("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", []byte("absent")).desc
		absent.URLs = urls
		m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, Config: s.blobs[0].desc, Layers: []ocispec.Descriptor{absent}}
		s.put(s.manifest(t, m), "example.com/windows:v1")
		if r := verdict(t, s); (len(r.Faults) == 0) != (urls != nil) {
			t.Errorf("%s: %v", name, r.Faults)
		}
	}
}
