package trust

import (
	"os"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
)

// TestSignaturesOfCosign verifies what cosign 3.1.1 wrote, in both of its formats. The line is
// what openssl prints, see key.signer.
func TestSignaturesOfCosign(t *testing.T) {
	policy := load(t, Policy{Cosign: &Cosign{Keys: []string{"testdata/cosign/cosign.pub"}}})
	image := fixture(t, "image.json")
	subject := engine.Subject{
		Descriptor: ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(image), Size: int64(len(image))},
		Repository: testRepository,
	}
	const line = "cosign key SHA256:5d47745366698ef342569820df83315d24682aa86f83a52b8e457f345d025b63"
	for _, name := range []string{"referrer", "tag"} {
		manifest, blob := fixture(t, name+".json"), fixture(t, name+".blob")
		a := artifact{
			desc:     ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(manifest), Size: int64(len(manifest))},
			manifest: manifest, blobs: map[digest.Digest][]byte{digest.FromBytes(blob): blob},
		}
		if signedBy, err := judge(t, policy, subject, a); !slices.Equal(signedBy, []string{line}) {
			t.Errorf("%s: signed by %q, %v", name, signedBy, err)
		}
	}
}

func fixture(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/cosign/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
