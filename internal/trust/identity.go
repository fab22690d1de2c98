package trust

import (
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/tlog"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// identities are the identities of a policy, and the trusted root that proves them.
//
// A certificate of sigstore is valid for minutes, so the time of a signature must be proven,
// by a log or by a timestamp authority of the trusted root. That a certificate was issued
// must be public, in the log of signatures or in that of certificates.
type identities struct {
	list   []Identity
	root   *root.TrustedRoot
	logged *verify.Verifier // for signatures with log entries: one must verify
	timed  *verify.Verifier // for those with timestamps only
	match  []verify.PolicyOption
}

func loadIdentities(list []Identity, trustedRoot string) (*identities, *keyError) {
	loaded := &identities{list: list}
	for i, identity := range list {
		match, err := identity.match()
		if err != nil {
			return nil, &keyError{fmt.Sprintf("cosign.identities[%d]", i), err}
		}
		loaded.match = append(loaded.match, match)
	}
	if trustedRoot == "" {
		return nil, &keyError{"cosign.trustedRoot", errors.New("identities need one")}
	}
	if err := loaded.loadRoot(trustedRoot); err != nil {
		return nil, &keyError{"cosign.trustedRoot", err}
	}
	return loaded, nil
}

func (i *identities) loadRoot(path string) error {
	data, err := readFile(path)
	if err != nil {
		return err
	}
	i.root, err = root.NewTrustedRootFromJSON(data)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(i.root.FulcioCertificateAuthorities()) == 0 {
		return fmt.Errorf("%s: no certificate authorities", path)
	}
	common := []verify.VerifierOption{verify.WithObserverTimestamps(1), verify.WithoutStatementPredicate()}
	i.logged, err = verify.NewVerifier(i.root, append(common, verify.WithTransparencyLog(1))...)
	if err != nil {
		return err
	}
	if len(i.root.CTLogs()) > 0 {
		common = append(common, verify.WithSignedCertificateTimestamps(1))
	}
	i.timed, err = verify.NewVerifier(i.root, common...)
	return err
}

// match returns an identity as an option of sigstore-go, whose patterns match a part of a text.
func (i Identity) match() (verify.PolicyOption, error) {
	if (i.Issuer == "") == (i.IssuerPattern == "") {
		return nil, errors.New("needs either issuer or issuerPattern")
	}
	if (i.Subject == "") == (i.SubjectPattern == "") {
		return nil, errors.New("needs either subject or subjectPattern")
	}
	issuer, err := anchored(i.IssuerPattern)
	if err != nil {
		return nil, fmt.Errorf("issuerPattern: %w", err)
	}
	subject, err := anchored(i.SubjectPattern)
	if err != nil {
		return nil, fmt.Errorf("subjectPattern: %w", err)
	}
	identity, err := verify.NewShortCertificateIdentity(i.Issuer, issuer, i.Subject, subject)
	if err != nil {
		return nil, err
	}
	return verify.WithCertificateIdentity(identity), nil
}

// anchored returns a pattern that matches only whole texts. It is compiled alone first:
// parentheses in it must not close ours.
func anchored(pattern string) (string, error) {
	if pattern == "" {
		return "", nil
	}
	if _, err := regexp.Compile(pattern); err != nil {
		return "", err
	}
	return `\A(?:` + pattern + `)\z`, nil
}

// verify returns the signer of a signature with a certificate: issuer and subject.
func (i *identities) verify(e *entity) (string, error) {
	verifier := i.timed
	if len(e.entries) > 0 {
		verifier = i.logged
	}
	result, err := verifier.Verify(e, verify.NewPolicy(e.signed(), i.match...))
	if err != nil {
		return "", i.reason(verifier, e, err)
	}
	summary := result.Signature.Certificate
	return "cosign " + summary.Issuer + " " + summary.SubjectAlternativeName, nil
}

// reason finds the step that failed. sigstore-go has no types for most of its errors.
func (i *identities) reason(v *verify.Verifier, e *entity, err error) error {
	leaf := e.certificate.Certificate()
	if mismatch := (*verify.ErrNoMatchingCertificateIdentity)(nil); errors.As(err, &mismatch) {
		summary, err := certificate.SummarizeCertificate(leaf)
		if err != nil {
			return &CertificateError{Err: err}
		}
		return &IdentityError{Issuer: summary.Issuer, Subject: summary.SubjectAlternativeName}
	}
	logTimes, timeErr := v.VerifyTransparencyLogInclusion(e)
	if timeErr == nil {
		_, timeErr = v.VerifyObserverTimestamps(e, logTimes)
	}
	if timeErr != nil {
		return &TimeError{Err: i.timeReason(e, timeErr)}
	}
	if signatureErr := e.checkSignature(i.root); signatureErr != nil {
		return &SignatureError{Err: signatureErr}
	}
	return &CertificateError{Err: err}
}

// timeReason says in plain words why the time of a signature is not proven.
func (i *identities) timeReason(e *entity, err error) error {
	switch {
	case len(e.entries) == 0 && len(e.timestamps) == 0:
		return errors.New("no log entry and no timestamp")
	case len(e.entries) == 0:
		return errors.New("no timestamp authority of the trusted root made its timestamp")
	case !slices.ContainsFunc(e.entries, func(entry *tlog.Entry) bool {
		return i.root.RekorLogs()[hex.EncodeToString([]byte(entry.LogKeyID()))] != nil
	}):
		return errors.New("the trusted root does not have its log")
	}
	return err
}
