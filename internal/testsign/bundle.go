package testsign

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/sigstore/sigstore-go/pkg/bundle"
)

const (
	// BundleType is the media type of the bundles of cosign 3.
	BundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"
	// Predicate is the predicate type of a bundle that is a signature.
	Predicate = "https://sigstore.dev/cosign/sign/v1"

	payloadType = "application/vnd.in-toto+json"
)

// Proofs selects the proofs of time that a signature has.
type Proofs struct {
	Log       bool
	LogTime   time.Time // of the entry; the zero value means now
	Timestamp bool
}

// Statement returns the statement about a digest that "cosign sign" signs.
func Statement(d digest.Digest) string { return StatementWith(d, Predicate) }

// StatementWith returns a statement about a digest with a predicate type.
func StatementWith(d digest.Digest, predicate string) string {
	return fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"%s":"%s"},"annotations":{}}],"predicateType":"%s","predicate":{}}`,
		d.Algorithm(), d.Encoded(), predicate)
}

// PAE returns the bytes of a statement that are signed (DSSE, "Pre-Authentication Encoding").
func PAE(statement string) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(statement), statement)
}

// Bundle returns a bundle with a statement. s may be nil for a signer without a certificate.
func (s *Sigstore) Bundle(tb testing.TB, by Signer, statement string, p Proofs) []byte {
	tb.Helper()
	sig := Sign(tb, by.Key, PAE(statement))
	material := map[string]any{"publicKey": map[string]any{"hint": "any"}}
	if by.Certificate != nil {
		material = map[string]any{"certificate": map[string]any{"rawBytes": by.Certificate.Raw}}
	}
	all := map[string]any{
		"mediaType":            BundleType,
		"verificationMaterial": material,
		"dsseEnvelope": map[string]any{
			"payload": []byte(statement), "payloadType": payloadType, "signatures": []any{map[string]any{"sig": sig}},
		},
	}
	if p.Timestamp {
		material["timestampVerificationData"] = map[string]any{"rfc3161Timestamps": []any{map[string]any{"signedTimestamp": s.Timestamp(sig)}}}
	}
	if p.Log {
		material["tlogEntries"] = []any{s.dsseEntry(by, marshal(tb, all), sig, p.LogTime)}
	}
	return marshal(tb, all)
}

// dsseEntry returns the log entry of a bundle in JSON.
func (s *Sigstore) dsseEntry(by Signer, withoutEntry, sig []byte, at time.Time) json.RawMessage {
	s.tb.Helper()
	if at.IsZero() {
		at = time.Now()
	}
	b := &bundle.Bundle{}
	if err := b.UnmarshalJSON(withoutEntry); err != nil {
		s.tb.Fatal(err)
	}
	envelope, err := b.Envelope()
	if err != nil {
		s.tb.Fatal(err)
	}
	entry, err := s.GenerateTlogEntry(by.Certificate, envelope.Envelope, sig, at.Unix(), false)
	if err != nil {
		s.tb.Fatal(err)
	}
	body := entry.TransparencyLogEntry().GetCanonicalizedBody()
	proof, err := s.GetInclusionProof(body)
	if err != nil {
		s.tb.Fatal(err)
	}
	rootHash, _ := hex.DecodeString(*proof.RootHash)
	return marshal(s.tb, map[string]any{
		"logIndex": "0", "logId": map[string]any{"keyId": s.LogID()}, "integratedTime": strconv.Itoa(int(at.Unix())),
		"kindVersion": map[string]any{"kind": "dsse", "version": "0.0.1"}, "canonicalizedBody": body,
		"inclusionPromise": map[string]any{"signedEntryTimestamp": s.promise(body, at)},
		"inclusionProof": map[string]any{"logIndex": "0", "treeSize": "1", "rootHash": rootHash, "hashes": []any{},
			"checkpoint": map[string]any{"envelope": *proof.Checkpoint}},
	})
}
