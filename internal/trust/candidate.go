package trust

import (
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

const (
	// maxBlob bounds a blob of a signature. Those of cosign have a few KiB.
	maxBlob = 1 << 20
	// maxEnvelope bounds an envelope of notation, which has a few KiB too. notation verifies
	// the signatures in its certificate chain before it trusts one of them, and the time for a
	// key grows with the square of its length.
	maxEnvelope = 64 << 10
	// maxBlobs bounds the signatures in one manifest; cosign has the same limit.
	maxBlobs = 1000

	notationArtifact = "application/vnd.cncf.notary.signature"
	simpleSigning    = "application/vnd.dev.cosign.simplesigning.v1+json"
	// bundlePrefix starts the media types of sigstore bundles of any version, .v0.3+json and
	// +json;version=0.2.
	bundlePrefix = "application/vnd.dev.sigstore.bundle"
	// predicateHint is the annotation in which cosign repeats the predicate type of a bundle.
	predicateHint = "dev.sigstore.bundle.predicateType"
)

// notationEnvelopes are the media types of the envelopes of notation.
var notationEnvelopes = []string{"application/jose+json", "application/cose"}

// Candidate reports whether the policy looks for signatures in a manifest like this one.
func (p *policy) Candidate(desc ocispec.Descriptor, manifest []byte) (engine.Candidate, bool) {
	m, err := oci.ParseManifest(desc, manifest)
	if err != nil || m.IsIndex() {
		return engine.Candidate{}, false
	}
	desc.ArtifactType = m.Kind()
	c := engine.Candidate{Manifest: desc}
	for _, some := range [][]ocispec.Descriptor{m.Layers, m.Blobs} {
		for i := 0; i < len(some) && len(c.Blobs) <= maxBlobs; i++ { // one more is too many
			if p.reads(m.Kind(), some[i].MediaType) {
				c.Blobs = append(c.Blobs, some[i])
			}
		}
	}
	if len(c.Blobs) == 0 {
		return engine.Candidate{}, false
	}
	if predicate, ok := m.Annotations[predicateHint]; ok && predicate != signPredicate && isBundle(c.Blobs[0].MediaType) {
		// The annotation is not signed. An attacker who can add it can also remove the
		// signature, so it may say that there is none. Attestations can be large.
		c.Blobs, c.Unread = nil, &AttestationError{Predicate: predicate}
		return c, true
	}
	limit(&c)
	return c, true
}

// reads reports whether a blob in a manifest of an artifact type is a signature for the policy.
// A policy that accepts nothing has neither cosign nor notation, and reads nothing.
func (p *policy) reads(artifactType, mediaType string) bool {
	switch {
	case mediaType == simpleSigning, isBundle(mediaType):
		return p.cosign != nil
	case artifactType == notationArtifact:
		return p.notation != nil && slices.Contains(notationEnvelopes, mediaType)
	}
	return false
}

func isBundle(mediaType string) bool { return strings.HasPrefix(mediaType, bundlePrefix) }

// limit removes the blobs that are not worth reading.
func limit(c *engine.Candidate) {
	if len(c.Blobs) > maxBlobs {
		c.Blobs, c.Unread = nil, &bounds.Error{What: "signatures in one manifest:", Most: maxBlobs}
		return
	}
	c.Blobs = slices.DeleteFunc(c.Blobs, func(blob ocispec.Descriptor) bool {
		large := blob.Size > maxSize(blob.MediaType)
		if large {
			c.Unread = tooLarge(blob.MediaType)
		}
		return large
	})
}

func maxSize(mediaType string) int64 {
	if slices.Contains(notationEnvelopes, mediaType) {
		return maxEnvelope
	}
	return maxBlob
}

func tooLarge(mediaType string) error {
	return &bounds.Error{What: "bytes of a signature:", Most: int(maxSize(mediaType))}
}
