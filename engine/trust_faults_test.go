package engine_test

import (
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/trust"
	"github.com/oras-mirror/oras-mirror/store"
)

// TestEntriesWithAFaultAreNotAccepted: an entry that no restore would take is not signed either,
// so that no signer vouches for it. One of a repository without a policy needs no signature.
func TestEntriesWithAFaultAreNotAccepted(t *testing.T) {
	key := newSigner(t)
	policies := trusting(t, trust.Policy{Match: []string{"free.example/**"}, Accept: trust.AcceptUnsigned}, key.policy("**"))
	for name, tt := range map[string]struct {
		put     func(h *handmade, signed ocispec.Descriptor)
		refused int
	}{
		"no fault": {func(*handmade, ocispec.Descriptor) {}, 0},
		"no name of a reference": {func(h *handmade, _ ocispec.Descriptor) {
			h.entry(h.image("evil", nil), "source.example/x/../app:v1")
		}, 1},
		"one name of two manifests": {func(h *handmade, signed ocispec.Descriptor) {
			h.entry(signed, "source.example/other:v1")
			h.entry(h.image("evil", nil), "source.example/other:v1")
		}, 2},
		"the digest of another manifest": {func(h *handmade, signed ocispec.Descriptor) {
			h.entry(h.image("evil", nil), "source.example/other@"+signed.Digest.String())
		}, 1},
		"not there": {func(h *handmade, _ ocispec.Descriptor) {
			gone := h.entry(h.image("evil", nil), "")
			delete(h.blobs, gone.Digest)
		}, 1},
		"one name of two manifests, without a policy": {func(h *handmade, signed ocispec.Descriptor) {
			h.entry(signed, "free.example/app:v1")
			h.entry(h.image("evil", nil), "free.example/app:v1")
		}, 0},
	} {
		h := newHandmade(t)
		image := h.entry(h.image("image", nil), "source.example/x/app:v1")
		layer := key.layer(image.Digest, asBundle)
		m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, ArtifactType: layer.MediaType, Subject: &image,
			Config: h.blob(ocispec.MediaTypeEmptyJSON, []byte("{}")), Layers: []ocispec.Descriptor{h.blob(layer.MediaType, layer.Content)}}
		m.SchemaVersion = 2
		h.entry(h.json(m.MediaType, m), "")
		tt.put(h, image)
		h.opened(func(kind string, open func() store.Input) {
			refused, signed := 0, 0
			for _, a := range checkSignatures(t, open(), policies) {
				if a.Err != nil {
					refused++
				} else {
					signed++
				}
			}
			if refused != tt.refused || signed != 1 {
				t.Errorf("%s, %s: %d refused, %d signed", name, kind, refused, signed)
			}
		})
	}
}
