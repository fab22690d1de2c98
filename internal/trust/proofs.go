package trust

import (
	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

const (
	// maxProof bounds a certificate and a timestamp, in bytes. Real ones have 1 to 8 KiB. They
	// may have keys of their own, of any length, with which the libraries verify a signature
	// before they know whose key it is; the time for it grows with the square of the length.
	maxProof = 16 << 10
	// maxEntry bounds the body of a log entry, which may have keys too.
	maxEntry = 32 << 10
)

func checkProofs(proofs ...[]byte) error {
	for _, proof := range proofs {
		if len(proof) > maxProof {
			return &bounds.Error{What: "bytes of a certificate or a timestamp:", Most: maxProof}
		}
	}
	return nil
}

func checkEntry(body []byte) error {
	if len(body) > maxEntry {
		return &bounds.Error{What: "bytes of a log entry:", Most: maxEntry}
	}
	return nil
}

// checkMaterial checks what a bundle brings along, before a library looks at it.
func checkMaterial(b *protobundle.Bundle) error {
	material := b.GetVerificationMaterial()
	all := [][]byte{material.GetCertificate().GetRawBytes()}
	for _, c := range material.GetX509CertificateChain().GetCertificates() {
		all = append(all, c.GetRawBytes())
	}
	for _, t := range material.GetTimestampVerificationData().GetRfc3161Timestamps() {
		all = append(all, t.GetSignedTimestamp())
	}
	for _, entry := range material.GetTlogEntries() {
		if err := checkEntry(entry.GetCanonicalizedBody()); err != nil {
			return err
		}
	}
	return checkProofs(all...)
}
