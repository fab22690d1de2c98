package trust

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/options"

	"github.com/oras-mirror/oras-mirror/engine"
)

// payloadType is the type of a payload that cosign signs.
const payloadType = "cosign container image signature"

// payload is the signed content of a layer: the simple signing format of containers/image.
type payload struct {
	Critical struct {
		Identity struct {
			Reference string `json:"docker-reference"`
		} `json:"identity"`
		Image struct {
			Digest string `json:"docker-manifest-digest"`
		} `json:"image"`
		Type string `json:"type"`
	} `json:"critical"`
}

// verifyPayload verifies a layer of a signature tag of cosign.
func (c *cosignPolicy) verifyPayload(subject engine.Subject, annotations map[string]string, content []byte) ([]string, error) {
	var p payload
	if err := json.Unmarshal(content, &p); err != nil {
		return nil, &FormatError{Err: err}
	}
	if p.Critical.Type != payloadType {
		return nil, &FormatError{Err: fmt.Errorf("unknown type %q", p.Critical.Type)}
	}
	if signed := p.Critical.Image.Digest; signed != subject.Descriptor.Digest.String() {
		return nil, &SubjectError{Signed: []string{signed}}
	}
	if err := c.checkRepository(subject, p.Critical.Identity.Reference); err != nil {
		return nil, err
	}
	e, err := payloadEntity(annotations, content)
	if err != nil {
		return nil, &FormatError{Err: err}
	}
	return c.verify(e)
}

// payloadEntity returns a layer as an entity that signs its payload.
func payloadEntity(annotations map[string]string, content []byte) (*entity, error) {
	sig, err := base64.StdEncoding.DecodeString(annotations[signatureKey])
	if err != nil || len(sig) == 0 {
		return nil, errors.New("no signature in base64")
	}
	e := &entity{payload: content}
	e.proofErr = e.readProofs(annotations)
	hash := messageHash(e.certificate)
	h := hash.New()
	h.Write(content)
	e.content = bundle.NewMessageSignature(h.Sum(nil), strings.ToLower(strings.ReplaceAll(hash.String(), "-", "")), sig)
	return e, nil
}

// messageHash returns the hash that sigstore uses with the key of a certificate. An entry in
// the log has the hash of the payload.
func messageHash(certificate verify.VerificationContent) crypto.Hash {
	if certificate != nil {
		details, err := signature.GetDefaultAlgorithmDetails(certificate.Certificate().PublicKey, options.WithED25519ph())
		if err == nil && details.GetHashType().Available() {
			return details.GetHashType()
		}
	}
	return crypto.SHA256
}
