package trust

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	rekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
)

// The annotations of a layer in a signature tag of cosign (github.com/sigstore/cosign,
// specs/SIGNATURE_SPEC.md).
const (
	signatureKey   = "dev.cosignproject.cosign/signature"
	certificateKey = "dev.sigstore.cosign/certificate"
	chainKey       = "dev.sigstore.cosign/chain"
	logKey         = "dev.sigstore.cosign/bundle"
	timestampKey   = "dev.sigstore.cosign/rfc3161timestamp"
)

// maxChain bounds the certificates in an annotation. Chains of Fulcio have three.
const maxChain = 10

// readProofs reads the certificate, the log entry and the timestamp in annotations.
func (e *entity) readProofs(annotations map[string]string) (err error) {
	if annotations[certificateKey] != "" {
		if e.certificate, err = certificates(annotations); err != nil {
			return err
		}
	}
	if e.timestamps, err = timestamps(annotations[timestampKey]); err != nil {
		return fmt.Errorf("timestamp: %w", err)
	}
	if e.entries, err = logEntries(annotations[logKey]); err != nil {
		return fmt.Errorf("log entry: %w", err)
	}
	return nil
}

// certificates returns the certificate of a layer and the intermediate ones.
func certificates(annotations map[string]string) (verify.VerificationContent, error) {
	leaf, err := cryptoutils.UnmarshalCertificatesFromPEMLimited([]byte(annotations[certificateKey]), maxChain)
	if err != nil || len(leaf) != 1 {
		return nil, errors.New("not one certificate in PEM")
	}
	if err := checkProofs(leaf[0].Raw); err != nil {
		return nil, err
	}
	chain, err := cryptoutils.UnmarshalCertificatesFromPEMLimited([]byte(annotations[chainKey]), maxChain)
	if err != nil {
		return nil, fmt.Errorf("certificate chain: %w", err)
	}
	var intermediates []*x509.Certificate
	for _, certificate := range chain {
		if err := checkProofs(certificate.Raw); err != nil {
			return nil, err
		}
		// A root that a signature brings along proves nothing.
		if certificate.IsCA && !bytes.Equal(certificate.RawIssuer, certificate.RawSubject) {
			intermediates = append(intermediates, certificate)
		}
	}
	return chained{bundle.NewCertificate(leaf[0]), intermediates}, nil
}

// logEntry is an entry of a transparency log in an annotation.
type logEntry struct {
	SignedEntryTimestamp []byte
	Payload              struct {
		Body           []byte `json:"body"`
		IntegratedTime int64  `json:"integratedTime"`
		LogIndex       int64  `json:"logIndex"`
		LogID          string `json:"logID"`
	}
}

// logEntries returns the entry in an annotation; none if the annotation is empty.
func logEntries(annotation string) ([]*tlog.Entry, error) {
	if annotation == "" {
		return nil, nil
	}
	var e logEntry
	if err := json.Unmarshal([]byte(annotation), &e); err != nil {
		return nil, err
	}
	logID, err := hex.DecodeString(e.Payload.LogID)
	if err != nil {
		return nil, err
	}
	if err := checkEntry(e.Payload.Body); err != nil {
		return nil, err
	}
	var kind struct{ Kind, APIVersion string }
	if err := json.Unmarshal(e.Payload.Body, &kind); err != nil {
		return nil, err
	}
	entry, err := tlog.ParseTransparencyLogEntry(&rekor.TransparencyLogEntry{
		LogIndex:          e.Payload.LogIndex,
		LogId:             &protocommon.LogId{KeyId: logID},
		KindVersion:       &rekor.KindVersion{Kind: kind.Kind, Version: kind.APIVersion},
		IntegratedTime:    e.Payload.IntegratedTime,
		InclusionPromise:  &rekor.InclusionPromise{SignedEntryTimestamp: e.SignedEntryTimestamp},
		CanonicalizedBody: e.Payload.Body,
	})
	if err != nil {
		return nil, err
	}
	return []*tlog.Entry{entry}, nil
}

// timestamps returns the timestamp in an annotation; none if the annotation is empty.
func timestamps(annotation string) ([][]byte, error) {
	if annotation == "" {
		return nil, nil
	}
	var t struct{ SignedRFC3161Timestamp []byte }
	if err := json.Unmarshal([]byte(annotation), &t); err != nil {
		return nil, err
	}
	return [][]byte{t.SignedRFC3161Timestamp}, checkProofs(t.SignedRFC3161Timestamp)
}
