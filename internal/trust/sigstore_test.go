package trust

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/testing/ca"
	"github.com/sigstore/sigstore-go/pkg/tlog"
)

const (
	testIssuer  = "https://token.example.com"
	testSubject = "release@acme.example"
)

// sigstore is a whole sigstore: a certificate authority, a log and a timestamp authority.
type sigstore struct {
	*ca.VirtualSigstore
	t *testing.T
}

func newSigstore(t *testing.T) *sigstore {
	t.Helper()
	v, err := ca.NewVirtualSigstore()
	if err != nil {
		t.Fatal(err)
	}
	return &sigstore{v, t}
}

// rootOf selects what a trusted root contains.
type rootOf struct{ withoutLog, withoutTimestamps, withCTLog, withoutCA, withoutIntermediate bool }

// trustedRoot writes a trusted root and returns its path.
func (s *sigstore) trustedRoot(o rootOf) string {
	s.t.Helper()
	logs, tsas, cas, ctLogs := s.RekorLogs(), s.TimestampingAuthorities(), s.FulcioCertificateAuthorities(), s.CTLogs()
	for _, all := range []map[string]*root.TransparencyLog{logs, ctLogs} {
		for id, log := range all { // VirtualSigstore has the hexadecimal digits there
			log.ID, _ = hex.DecodeString(id)
		}
	}
	if o.withoutLog {
		logs = nil
	}
	if o.withoutTimestamps {
		tsas = nil
	}
	if o.withoutCA {
		cas = nil
	}
	if !o.withCTLog {
		ctLogs = nil
	}
	if o.withoutIntermediate {
		only := *cas[0].(*root.FulcioCertificateAuthority)
		only.Intermediates = nil
		cas = []root.CertificateAuthority{&only}
	}
	r, err := root.NewTrustedRoot(root.TrustedRootMediaType01, cas, ctLogs, tsas, logs)
	if err != nil {
		s.t.Fatal(err)
	}
	data, err := r.MarshalJSON()
	if err != nil {
		s.t.Fatal(err)
	}
	return writeFile(s.t, "trusted_root.json", data)
}

// signer is a private key, with a certificate if sigstore issued one.
type signer struct {
	key         crypto.Signer
	certificate *x509.Certificate
}

// identity returns a signer with a certificate that is valid for ten minutes.
func (s *sigstore) identity(issuer, subject string) signer {
	s.t.Helper()
	certificate, key, err := s.GenerateLeafCert(subject, issuer)
	if err != nil {
		s.t.Fatal(err)
	}
	return signer{key.(crypto.Signer), certificate}
}

// proofs selects the proofs of time that a signature has.
type proofs struct {
	log       bool
	logTime   time.Time // of the entry; the zero value means now
	timestamp bool
}

// bundle returns a sigstore bundle with a statement; s may be nil for a signer without
// certificate.
func (s *sigstore) bundle(t *testing.T, by signer, statement string, p proofs) []byte {
	t.Helper()
	const payloadType = "application/vnd.in-toto+json"
	pae := []byte("DSSEv1 28 " + payloadType + " " + strconv.Itoa(len(statement)) + " " + statement)
	sig := sign(t, by.key, pae)
	material := map[string]any{"publicKey": map[string]any{"hint": "any"}}
	if by.certificate != nil {
		material = map[string]any{"certificate": map[string]any{"rawBytes": by.certificate.Raw}}
	}
	all := map[string]any{
		"mediaType":            "application/vnd.dev.sigstore.bundle.v0.3+json",
		"verificationMaterial": material,
		"dsseEnvelope": map[string]any{
			"payload": []byte(statement), "payloadType": payloadType, "signatures": []any{map[string]any{"sig": sig}},
		},
	}
	if p.timestamp {
		material["timestampVerificationData"] = map[string]any{"rfc3161Timestamps": []any{map[string]any{"signedTimestamp": s.timestamp(sig)}}}
	}
	if p.log {
		material["tlogEntries"] = []any{s.dsseEntry(by, marshal(t, all), sig, p.logTime)}
	}
	return marshal(t, all)
}

func (s *sigstore) timestamp(sig []byte) []byte {
	s.t.Helper()
	response, err := s.TimestampResponse(sig)
	if err != nil {
		s.t.Fatal(err)
	}
	return response
}

// dsseEntry returns the log entry of a bundle in JSON.
func (s *sigstore) dsseEntry(by signer, withoutEntry, sig []byte, at time.Time) json.RawMessage {
	s.t.Helper()
	if at.IsZero() {
		at = time.Now()
	}
	b := &bundle.Bundle{}
	if err := b.UnmarshalJSON(withoutEntry); err != nil {
		s.t.Fatal(err)
	}
	envelope, err := b.Envelope()
	if err != nil {
		s.t.Fatal(err)
	}
	entry, err := s.GenerateTlogEntry(by.certificate, envelope.Envelope, sig, at.Unix(), false)
	if err != nil {
		s.t.Fatal(err)
	}
	body := entry.TransparencyLogEntry().GetCanonicalizedBody()
	proof, err := s.GetInclusionProof(body)
	if err != nil {
		s.t.Fatal(err)
	}
	rootHash, _ := hex.DecodeString(*proof.RootHash)
	return marshal(s.t, map[string]any{
		"logIndex": "0", "logId": map[string]any{"keyId": s.logID()}, "integratedTime": strconv.Itoa(int(at.Unix())),
		"kindVersion": map[string]any{"kind": "dsse", "version": "0.0.1"}, "canonicalizedBody": body,
		"inclusionPromise": map[string]any{"signedEntryTimestamp": s.promise(body, at)},
		"inclusionProof": map[string]any{"logIndex": "0", "treeSize": "1", "rootHash": rootHash, "hashes": []any{},
			"checkpoint": map[string]any{"envelope": *proof.Checkpoint}},
	})
}

func (s *sigstore) logID() []byte {
	s.t.Helper()
	id, err := s.RekorLogID()
	if err != nil {
		s.t.Fatal(err)
	}
	raw, _ := hex.DecodeString(id)
	return raw
}

// promise returns the promise of the log to include an entry.
func (s *sigstore) promise(body []byte, at time.Time) []byte {
	s.t.Helper()
	set, err := s.RekorSignPayload(tlog.RekorPayload{
		Body: base64.StdEncoding.EncodeToString(body), IntegratedTime: at.Unix(), LogID: hex.EncodeToString(s.logID()),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return set
}

// layer returns the annotations of a layer in a signature tag of cosign.
func (s *sigstore) layer(t *testing.T, by signer, payload string, p proofs) map[string]string {
	t.Helper()
	sig := sign(t, by.key, []byte(payload))
	annotations := map[string]string{signatureKey: base64.StdEncoding.EncodeToString(sig)}
	if by.certificate != nil {
		annotations[certificateKey] = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: by.certificate.Raw}))
	}
	if p.timestamp {
		annotations[timestampKey] = string(marshal(t, map[string]any{"SignedRFC3161Timestamp": s.timestamp(sig)}))
	}
	if p.log {
		annotations[logKey] = s.logAnnotation(hashedRekord(t, by, crypto.SHA256, sig, payload), p.logTime)
	}
	return annotations
}

// logAnnotation returns the annotation for an entry of the log.
func (s *sigstore) logAnnotation(body []byte, at time.Time) string {
	s.t.Helper()
	if at.IsZero() {
		at = time.Now()
	}
	return string(marshal(s.t, map[string]any{
		"SignedEntryTimestamp": s.promise(body, at),
		"Payload":              map[string]any{"body": body, "integratedTime": at.Unix(), "logIndex": 0, "logID": hex.EncodeToString(s.logID())},
	}))
}

// hashedRekord returns the entry that cosign writes to the log.
func hashedRekord(t *testing.T, by signer, hash crypto.Hash, sig []byte, payload string) []byte {
	t.Helper()
	h := hash.New()
	h.Write([]byte(payload))
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: by.certificate.Raw})
	return marshal(t, map[string]any{"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": map[string]any{
		"data":      map[string]any{"hash": map[string]any{"algorithm": "sha" + strconv.Itoa(8*hash.Size()), "value": hex.EncodeToString(h.Sum(nil))}},
		"signature": map[string]any{"content": sig, "publicKey": map[string]any{"content": certificate}},
	}})
}

// sign signs a message as cosign does with a key.
func sign(t *testing.T, key crypto.Signer, message []byte) []byte {
	t.Helper()
	hash := crypto.SHA256
	if _, ok := key.(ed25519.PrivateKey); ok {
		hash = 0 // signs the message itself
	}
	return signHashed(t, key, hash, message)
}

func signHashed(t *testing.T, key crypto.Signer, hash crypto.Hash, message []byte) []byte {
	t.Helper()
	if hash != 0 {
		h := hash.New()
		h.Write(message)
		message = h.Sum(nil)
	}
	sig, err := key.Sign(rand.Reader, message, hash)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func writeFile(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
