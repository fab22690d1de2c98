package testsign

import (
	"crypto"
	"encoding/hex"
	"testing"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/testing/ca"
)

// Sigstore is a certificate authority, a log and a timestamp authority. Its certificates are
// valid from the time at which they are made: in a bubble of testing/synctest that is the year
// 2000, so that they have expired outside of it.
type Sigstore struct {
	*ca.VirtualSigstore
	tb testing.TB
}

// NewSigstore returns a sigstore whose certificates have keys of P-256.
func NewSigstore(tb testing.TB) *Sigstore {
	tb.Helper()
	return NewSigstoreOf(tb, protocommon.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256)
}

// NewSigstoreOf returns a sigstore whose certificates have keys of an algorithm.
func NewSigstoreOf(tb testing.TB, algorithm protocommon.PublicKeyDetails) *Sigstore {
	tb.Helper()
	v, err := ca.NewVirtualSigstoreWithSigningAlg(algorithm)
	if err != nil {
		tb.Fatal(err)
	}
	return &Sigstore{v, tb}
}

// RootOf selects what a trusted root contains.
type RootOf struct{ WithoutLog, WithoutTimestamps, WithCTLog, WithoutCA, WithoutIntermediate bool }

// TrustedRoot returns a trusted_root.json.
func (s *Sigstore) TrustedRoot(o RootOf) []byte {
	s.tb.Helper()
	logs, tsas, cas, ctLogs := s.RekorLogs(), s.TimestampingAuthorities(), s.FulcioCertificateAuthorities(), s.CTLogs()
	for _, all := range []map[string]*root.TransparencyLog{logs, ctLogs} {
		for id, log := range all { // VirtualSigstore has the hexadecimal digits there
			log.ID, _ = hex.DecodeString(id)
		}
	}
	if o.WithoutLog {
		logs = nil
	}
	if o.WithoutTimestamps {
		tsas = nil
	}
	if o.WithoutCA {
		cas = nil
	}
	if !o.WithCTLog {
		ctLogs = nil
	}
	if o.WithoutIntermediate {
		only := *cas[0].(*root.FulcioCertificateAuthority)
		only.Intermediates = nil
		cas = []root.CertificateAuthority{&only}
	}
	r, err := root.NewTrustedRoot(root.TrustedRootMediaType01, cas, ctLogs, tsas, logs)
	if err != nil {
		s.tb.Fatal(err)
	}
	data, err := r.MarshalJSON()
	if err != nil {
		s.tb.Fatal(err)
	}
	return data
}

// Identity returns a signer with a certificate that is valid for ten minutes.
func (s *Sigstore) Identity(issuer, subject string) Signer {
	s.tb.Helper()
	certificate, key, err := s.GenerateLeafCert(subject, issuer)
	if err != nil {
		s.tb.Fatal(err)
	}
	return Signer{key.(crypto.Signer), certificate}
}

// LogID returns the ID of the log.
func (s *Sigstore) LogID() []byte {
	s.tb.Helper()
	id, err := s.RekorLogID()
	if err != nil {
		s.tb.Fatal(err)
	}
	raw, _ := hex.DecodeString(id)
	return raw
}

// Timestamp returns a timestamp of a signature.
func (s *Sigstore) Timestamp(sig []byte) []byte {
	s.tb.Helper()
	response, err := s.TimestampResponse(sig)
	if err != nil {
		s.tb.Fatal(err)
	}
	return response
}
