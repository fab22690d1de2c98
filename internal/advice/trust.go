package advice

import (
	"errors"
	"fmt"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/trust"
)

// trustHint advises on policies, and on artifacts that no policy accepts.
func trustHint(err error) string {
	var revocation *trust.RevocationError
	switch {
	case errors.As(err, &revocation):
		return fmt.Sprintf("add %s to the signatureVerification of that statement", revocation.Override())
	case is[*trust.AuthenticityError](err):
		return "set its level to strict or permissive; a policy for unsigned artifacts has accept: unsigned"
	case is[*engine.UnsignedError](err) && !is[*engine.UnseenError](err):
		return "sign it, or add a policy with accept: unsigned for it before the policy that matches"
	case is[*engine.DeniedError](err):
		return "add a policy for this repository before that one"
	case is[*trust.KeyError](err):
		return `keys are files with public keys in PEM; "cosign public-key --key KEY" prints the one of a private key or of a KMS`
	case errors.Is(err, trust.ErrOtherKey), errors.Is(err, trust.ErrNoCertificate), is[*trust.IdentityError](err):
		return `if you trust the signer, add its key or identity to the policy; "oras-mirror validate -f SPEC" shows those it has`
	case is[*trust.SubjectError](err):
		return "the tag or the signature was moved: find out by whom, and sign this artifact"
	case is[*trust.AttestationError](err):
		return "an attestation says how an artifact was made: sign it, too"
	case is[*trust.TimeError](err):
		return "check that the trusted root has the log or the timestamp authority that the signer used"
	case is[*trust.RepositoryError](err):
		return "a signature keeps the name under which it was made: remove sameRepository, or sign the copy"
	}
	return ""
}
