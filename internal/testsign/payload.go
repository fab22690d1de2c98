package testsign

import (
	"crypto"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/sigstore/sigstore-go/pkg/tlog"
)

// PayloadType is the media type of the payloads under the tags of cosign.
const PayloadType = "application/vnd.dev.cosign.simplesigning.v1+json"

// Payload returns the payload about a digest in a repository that
// "cosign sign --new-bundle-format=false" signs.
func Payload(d digest.Digest, repository string) string {
	return fmt.Sprintf(`{"critical":{"identity":{"docker-reference":"%s"},"image":{"docker-manifest-digest":"%s"},"type":"cosign container image signature"},"optional":null}`,
		repository, d)
}

// Annotations returns the annotations of a layer with a signed payload, as cosign writes them
// under its tags. s may be nil for a signer without a certificate.
func (s *Sigstore) Annotations(tb testing.TB, by Signer, payload string, p Proofs) map[string]string {
	tb.Helper()
	sig := Sign(tb, by.Key, []byte(payload))
	annotations := map[string]string{"dev.cosignproject.cosign/signature": base64.StdEncoding.EncodeToString(sig)}
	if by.Certificate != nil {
		annotations["dev.sigstore.cosign/certificate"] = string(by.certificatePEM())
	}
	if p.Timestamp {
		annotations["dev.sigstore.cosign/rfc3161timestamp"] = string(marshal(tb, map[string]any{"SignedRFC3161Timestamp": s.Timestamp(sig)}))
	}
	if p.Log {
		annotations["dev.sigstore.cosign/bundle"] = s.LogAnnotation(HashedRekord(tb, by, crypto.SHA256, sig, payload), p.LogTime)
	}
	return annotations
}

func (s Signer) certificatePEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate.Raw})
}

// LogAnnotation returns the annotation for an entry of the log. A zero time means now.
func (s *Sigstore) LogAnnotation(body []byte, at time.Time) string {
	s.tb.Helper()
	if at.IsZero() {
		at = time.Now()
	}
	return string(marshal(s.tb, map[string]any{
		"SignedEntryTimestamp": s.promise(body, at),
		"Payload":              map[string]any{"body": body, "integratedTime": at.Unix(), "logIndex": 0, "logID": hex.EncodeToString(s.LogID())},
	}))
}

// promise returns the promise of the log to include an entry.
func (s *Sigstore) promise(body []byte, at time.Time) []byte {
	s.tb.Helper()
	set, err := s.RekorSignPayload(tlog.RekorPayload{
		Body: base64.StdEncoding.EncodeToString(body), IntegratedTime: at.Unix(), LogID: hex.EncodeToString(s.LogID()),
	})
	if err != nil {
		s.tb.Fatal(err)
	}
	return set
}

// HashedRekord returns the entry that cosign writes to the log.
func HashedRekord(tb testing.TB, by Signer, hash crypto.Hash, sig []byte, payload string) []byte {
	tb.Helper()
	h := hash.New()
	h.Write([]byte(payload))
	return marshal(tb, map[string]any{"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": map[string]any{
		"data":      map[string]any{"hash": map[string]any{"algorithm": "sha" + strconv.Itoa(8*hash.Size()), "value": hex.EncodeToString(h.Sum(nil))}},
		"signature": map[string]any{"content": sig, "publicKey": map[string]any{"content": by.certificatePEM()}},
	}})
}
