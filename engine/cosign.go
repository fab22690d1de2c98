package engine

import (
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
)

// cosignKinds end the tags of signatures, attestations and SBOMs
// (github.com/sigstore/cosign, specs/SIGNATURE_SPEC.md).
var cosignKinds = []string{".sig", ".att", ".sbom"}

// AttachedTo tells what cosign attached an artifact to, by its tag.
func AttachedTo(ref config.Reference) (digest.Digest, bool) {
	for _, kind := range cosignKinds {
		name, ok := strings.CutSuffix(ref.Tag, kind)
		algorithm, encoded, cut := strings.Cut(name, "-")
		d := digest.NewDigestFromEncoded(digest.Algorithm(algorithm), encoded)
		if ok && cut && d.Validate() == nil {
			return d, true
		}
	}
	return "", false
}

// attachedName tells what cosign attached the entry of a name to.
func attachedName(name string) (digest.Digest, bool) {
	ref, err := config.ParseReference(name)
	if err != nil {
		return "", false
	}
	return AttachedTo(ref)
}
