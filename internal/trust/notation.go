package trust

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/notaryproject/notation-go"
	"github.com/notaryproject/notation-go/verifier"
	"github.com/notaryproject/notation-go/verifier/trustpolicy"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
)

// notationPolicy verifies signatures of notation.
type notationPolicy struct {
	path     string // of its trust policy
	verifier notation.Verifier
}

// RevocationError says that a trust policy of notation enforces revocation checks, which need
// a network: whether a signature is good must not depend on it.
type RevocationError struct{ Path, Statement string }

func (e *RevocationError) Error() string {
	return fmt.Sprintf("%s: the statement %q enforces revocation checks, which need a network", e.Path, e.Statement)
}

// Override is the key for signatureVerification in the statement that makes it acceptable.
func (e *RevocationError) Override() string { return `"override": {"revocation": "skip"}` }

// AuthenticityError says that a trust policy of notation accepts any signer, or no signature.
type AuthenticityError struct{ Path, Statement string }

func (e *AuthenticityError) Error() string {
	return fmt.Sprintf("%s: the statement %q does not enforce authenticity", e.Path, e.Statement)
}

func (n *Notation) load() (*notationPolicy, *keyError) {
	if n.TrustPolicy == "" {
		return nil, &keyError{"notation.trustPolicy", errors.New("missing")}
	}
	if n.TrustStore == "" {
		return nil, &keyError{"notation.trustStore", errors.New("missing")}
	}
	document, err := readTrustPolicy(n.TrustPolicy)
	if err != nil {
		return nil, &keyError{"notation.trustPolicy", err}
	}
	store, err := readTrustStore(n.TrustStore, document)
	if err != nil {
		return nil, &keyError{"notation.trustStore", err}
	}
	// Without a manager of plugins, none is run: a signature that needs one is not accepted.
	v, err := verifier.NewWithOptions(document, store, nil, verifier.VerifierOptions{
		RevocationCodeSigningValidator:  offline{},
		RevocationTimestampingValidator: offline{},
	})
	if err != nil {
		return nil, &keyError{"notation.trustPolicy", fmt.Errorf("%s: %w", n.TrustPolicy, err)}
	}
	return &notationPolicy{path: n.TrustPolicy, verifier: v}, nil
}

// readTrustPolicy reads a trust policy of notation, and makes it one that needs no network.
func readTrustPolicy(path string) (*trustpolicy.Document, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	document := &trustpolicy.Document{}
	if err := json.Unmarshal(data, document); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := document.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for i := range document.TrustPolicies {
		if err := takeOffline(path, &document.TrustPolicies[i]); err != nil {
			return nil, err
		}
	}
	return document, nil
}

// takeOffline refuses a statement that enforces revocation checks, and turns off those that it
// only logs.
func takeOffline(path string, statement *trustpolicy.TrustPolicy) error {
	v := &statement.SignatureVerification
	level, err := v.GetVerificationLevel()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if level.Enforcement[trustpolicy.TypeAuthenticity] != trustpolicy.ActionEnforce {
		return &AuthenticityError{Path: path, Statement: statement.Name}
	}
	if level.Enforcement[trustpolicy.TypeRevocation] == trustpolicy.ActionEnforce {
		return &RevocationError{Path: path, Statement: statement.Name}
	}
	override := map[trustpolicy.ValidationType]trustpolicy.ValidationAction{trustpolicy.TypeRevocation: trustpolicy.ActionSkip}
	for kind, action := range v.Override {
		if kind != trustpolicy.TypeRevocation {
			override[kind] = action
		}
	}
	v.Override = override
	return nil
}

// verify returns the certificate that made a signature.
func (n *notationPolicy) verify(ctx context.Context, subject engine.Subject, mediaType string, content []byte) ([]string, error) {
	outcome, err := n.verifier.Verify(ctx, subject.Descriptor, content, notation.VerifierVerifyOptions{
		ArtifactReference:  subject.Repository + "@" + subject.Descriptor.Digest.String(),
		SignatureMediaType: mediaType,
	})
	if err != nil {
		return nil, notationReason(subject, outcome, err)
	}
	// The level "skip" succeeds without it. No statement has that level, see takeOffline.
	if outcome.EnvelopeContent == nil || len(outcome.EnvelopeContent.SignerInfo.CertificateChain) == 0 {
		return nil, &SignatureError{Err: errors.New("not verified")}
	}
	leaf := outcome.EnvelopeContent.SignerInfo.CertificateChain[0]
	sum := sha256.Sum256(leaf.Raw)
	return []string{"notation " + leaf.Subject.String() + " SHA256:" + hex.EncodeToString(sum[:])}, nil
}

// notationReason returns the reason for which notation does not accept a signature.
func notationReason(subject engine.Subject, outcome *notation.VerificationOutcome, err error) error {
	if unscoped := (notation.NoApplicableTrustPolicyError{}); errors.As(err, &unscoped) {
		return &ScopeError{Repository: subject.Repository}
	}
	if outcome != nil && outcome.EnvelopeContent != nil {
		var payload struct {
			TargetArtifact ocispec.Descriptor `json:"targetArtifact"`
		}
		signed := &payload.TargetArtifact.Digest
		if json.Unmarshal(outcome.EnvelopeContent.Payload.Content, &payload) == nil && *signed != subject.Descriptor.Digest {
			return &SubjectError{Signed: []string{signed.String()}}
		}
	}
	return &SignatureError{Err: err}
}
