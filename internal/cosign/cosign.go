// Package cosign knows the tags under which cosign keeps what it attaches to an image:
// sha256-HEX.sig in the repository of the image with the digest sha256:HEX
// (github.com/sigstore/cosign, specs/SIGNATURE_SPEC.md).
package cosign

import (
	_ "crypto/sha256" // go-digest knows the algorithms that are linked in
	_ "crypto/sha512"
	"strings"

	"github.com/opencontainers/go-digest"
)

// Kind ends the tag of an attachment.
type Kind string

// The kinds that cosign attaches.
const (
	Signature   Kind = ".sig"
	Attestation Kind = ".att"
	SBOM        Kind = ".sbom"
)

// Kinds are all of them.
var Kinds = []Kind{Signature, Attestation, SBOM}

// maxTag is the length of the longest tag (distribution-spec, "Pulling manifests").
const maxTag = 128

// Tag returns the tag of an attachment of subject. The tag of a sha512 digest is longer
// than a registry allows, but a layout may have it.
func Tag(subject digest.Digest, kind Kind) string {
	return subject.Algorithm().String() + "-" + subject.Encoded() + string(kind)
}

// Tags returns the tags that a registry may have for the attachments of some kinds of subject.
func Tags(subject digest.Digest, kinds []Kind) []string {
	var tags []string
	for _, kind := range kinds {
		if tag := Tag(subject, kind); len(tag) <= maxTag {
			tags = append(tags, tag)
		}
	}
	return tags
}

// Subject returns the digest of the image to which cosign attached the artifact with
// this tag; ok is false for any other tag.
func Subject(tag string) (subject digest.Digest, ok bool) {
	for _, kind := range Kinds {
		name, found := strings.CutSuffix(tag, string(kind))
		if !found { // as of nearly all tags
			continue
		}
		algorithm, encoded, _ := strings.Cut(name, "-")
		if d := digest.NewDigestFromEncoded(digest.Algorithm(algorithm), encoded); d.Validate() == nil {
			return d, true
		}
	}
	return "", false
}
