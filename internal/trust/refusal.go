package trust

import (
	"errors"
	"fmt"
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/text"
)

// The reasons for which a policy does not accept a signature. Each is the error of an
// engine.Refusal.
var (
	// ErrOtherKey says that none of the keys of the policy verifies the signature.
	ErrOtherKey = errors.New("not signed by a key of the policy")
	// ErrNoCertificate says that a signature has no certificate, and its policy has identities
	// but no keys.
	ErrNoCertificate = errors.New("signed by a key, but the policy has identities only")
)

// AttestationError says that a sigstore bundle is an attestation, and no signature.
type AttestationError struct{ Predicate string }

func (e *AttestationError) Error() string {
	return printable("an attestation of type %q, not a signature", e.Predicate)
}

// SubjectError says that a signature belongs to another artifact.
type SubjectError struct{ Signed []string } // the digests that it signs

func (e *SubjectError) Error() string {
	const most = 3
	signed := e.Signed
	if len(signed) > most {
		signed = signed[:most:most]
		signed = append(signed, "...")
	}
	if len(signed) == 0 {
		return "signs no digest"
	}
	return printable("signs another artifact: %s", strings.Join(signed, ", "))
}

// RepositoryError says that a signature names another repository, or none, and that the
// policy has sameRepository.
type RepositoryError struct{ Named string }

func (e *RepositoryError) Error() string {
	if e.Named == "" {
		return "names no repository"
	}
	return printable("names another repository: %s", e.Named)
}

// IdentityError says that a valid certificate has an identity that the policy does not have.
type IdentityError struct{ Issuer, Subject string }

func (e *IdentityError) Error() string {
	return printable("signed by %s (issuer %s), not an identity of the policy", e.Subject, e.Issuer)
}

// ScopeError says that no statement of the trust policy of notation is for a repository.
type ScopeError struct{ Repository string }

func (e *ScopeError) Error() string {
	return "no statement of the trust policy has the registry scope " + e.Repository
}

// TimeError says that no timestamp and no log entry that the trusted root can verify tells
// when an artifact was signed, or that its certificate was not valid then.
type TimeError struct{ Err error }

func (e *TimeError) Error() string { return printable("time of signing not proven: %v", e.Err) }

func (e *TimeError) Unwrap() error { return e.Err }

// CertificateError says that a certificate does not come from an authority of the trusted
// root, or was not valid when the artifact was signed.
type CertificateError struct{ Err error }

func (e *CertificateError) Error() string {
	return printable("certificate not proven by the trusted root: %v", e.Err)
}

func (e *CertificateError) Unwrap() error { return e.Err }

// SignatureError says that a signature does not verify.
type SignatureError struct{ Err error }

func (e *SignatureError) Error() string { return printable("invalid signature: %v", e.Err) }

func (e *SignatureError) Unwrap() error { return e.Err }

// FormatError says that the bytes of a signature cannot be decoded.
type FormatError struct{ Err error }

func (e *FormatError) Error() string { return printable("not a valid signature file: %v", e.Err) }

func (e *FormatError) Unwrap() error { return e.Err }

// ReadError says that a signature could not be read.
type ReadError struct{ Err error }

func (e *ReadError) Error() string { return fmt.Sprintf("read: %v", e.Err) }

func (e *ReadError) Unwrap() error { return e.Err }

// longest bounds a reason. The errors of the libraries contain what they decoded.
const longest = 300

// printable formats a reason with texts that an attacker may have chosen, on one line.
func printable(format string, args ...any) string {
	s := []rune(text.Printable(fmt.Sprintf(format, args...)))
	if len(s) > longest {
		return string(s[:longest]) + "..."
	}
	return string(s)
}
