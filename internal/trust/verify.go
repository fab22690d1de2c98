package trust

import (
	"context"
	"fmt"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// Verify returns the signers of subject that the policy accepts. It looks at all candidates,
// so that the result does not depend on their order.
func (p *policy) Verify(ctx context.Context, subject engine.Subject, candidates []engine.Candidate, read engine.ReadBlob) ([]string, error) {
	if p.accept == AcceptNothing {
		return nil, &engine.DeniedError{Repository: subject.Repository}
	}
	var signedBy []string
	var refusals []engine.Refusal
	for _, c := range candidates {
		if c.Unread != nil {
			refusals = append(refusals, engine.Refusal{Signature: c.Manifest.Digest, Err: c.Unread})
		}
		for _, blob := range c.Blobs {
			signers, err := p.verifyBlob(ctx, subject, blob, read)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				refusals = append(refusals, engine.Refusal{Signature: c.Manifest.Digest, Err: err})
			}
			signedBy = append(signedBy, signers...)
		}
	}
	switch {
	case len(signedBy) > 0:
		slices.Sort(signedBy)
		return slices.Compact(signedBy), nil
	case len(refusals) > 0:
		return nil, &engine.UntrustedError{Refusals: refusals}
	}
	return nil, &engine.UnsignedError{}
}

// verifyBlob returns the signers of one blob.
func (p *policy) verifyBlob(ctx context.Context, subject engine.Subject, blob ocispec.Descriptor, read engine.ReadBlob) ([]string, error) {
	content, err := read(ctx, blob)
	if err != nil {
		return nil, &ReadError{Err: err}
	}
	if err := checkContent(blob, content); err != nil {
		return nil, &ReadError{Err: err}
	}
	signers, err := contained(func() ([]string, error) {
		switch {
		case isBundle(blob.MediaType):
			return p.cosign.verifyBundle(subject, content)
		case blob.MediaType == simpleSigning:
			return p.cosign.verifyPayload(subject, blob.Annotations, content)
		}
		return p.notation.verify(ctx, subject, blob.MediaType, content)
	})
	for i, signer := range signers {
		signers[i] = text.Printable(signer)
	}
	return signers, err
}

// checkContent checks the bytes of a blob against its descriptor, which a caller may have
// done: no signature is judged by bytes that another run would not see.
func checkContent(blob ocispec.Descriptor, content []byte) error {
	if int64(len(content)) > maxSize(blob.MediaType) {
		return tooLarge(blob.MediaType)
	}
	if err := blob.Digest.Validate(); err != nil {
		return err
	}
	if blob.Digest.Algorithm().FromBytes(content) != blob.Digest {
		return fmt.Errorf("the content does not have the digest %s", blob.Digest)
	}
	return nil
}

// contained turns a panic into an error. The libraries decode bytes that an attacker chose:
// if one fails on them, this signature is invalid, and the run goes on.
func contained(check func() ([]string, error)) (signers []string, err error) {
	defer func() {
		if p := recover(); p != nil {
			signers, err = nil, &FormatError{Err: fmt.Errorf("%v", p)}
		}
	}()
	return check()
}
