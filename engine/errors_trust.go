package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
)

// UnsignedError says that an artifact has no signature, and its policy requires one.
type UnsignedError struct{}

func (*UnsignedError) Error() string { return "not signed" }

// UnseenError says that a policy accepts none of the signatures that were found, and that
// some referrer could not be had: it may be the signature.
type UnseenError struct{ Refusal, Missing error }

func (e *UnseenError) Error() string {
	return fmt.Sprintf("%v; a signature may be missing: %v", e.Refusal, e.Missing)
}

// Unwrap returns both reasons.
func (e *UnseenError) Unwrap() []error { return []error{e.Refusal, e.Missing} }

// DeniedError says that the policy of a repository accepts nothing.
type DeniedError struct{ Repository string }

func (e *DeniedError) Error() string { return "the policy of " + e.Repository + " accepts nothing" }

// UntrustedError says that an artifact has signatures, and that its policy accepts none of
// them.
type UntrustedError struct{ Refusals []Refusal } // at least one

// Refusal says why a policy does not accept a signature.
type Refusal struct {
	Signature digest.Digest // of its manifest
	Err       error
}

func (r Refusal) String() string { return fmt.Sprintf("%s: %v", r.Signature, r.Err) }

// mostRefusals bounds the refusals in a message. A tag of cosign may have hundreds.
const mostRefusals = 5

func (e *UntrustedError) Error() string {
	var reasons []string
	for _, refusal := range e.Refusals {
		reasons = append(reasons, refusal.String())
	}
	slices.Sort(reasons)
	reasons = slices.Compact(reasons)
	more := ""
	if n := len(reasons) - mostRefusals; n > 0 {
		reasons, more = reasons[:mostRefusals], fmt.Sprintf("; and %d more", n)
	}
	return "no signature satisfies the policy: " + strings.Join(reasons, "; ") + more
}

// Unwrap returns the reasons.
func (e *UntrustedError) Unwrap() []error {
	var all []error
	for _, refusal := range e.Refusals {
		all = append(all, refusal.Err)
	}
	return all
}
