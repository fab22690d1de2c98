package engine

import (
	"context"
	"errors"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Trust knows the policies of a spec. Its method and those of Policy may be called
// concurrently, and none of them uses a network.
type Trust interface {
	// Policy returns the policy that decides about the artifacts of a repository, such as
	// "ghcr.io/acme/app". It is nil if they need no signature.
	Policy(repository string) Policy
}

// Policy says which signatures the artifacts of a repository need.
type Policy interface {
	// Signed says which manifests of an artifact must be signed.
	Signed() Signed
	// Candidate reports whether a manifest may be a signature that this policy accepts, and
	// which of its blobs must be read to find out. The manifest refers to its subject, or has
	// a tag of cosign.
	Candidate(desc ocispec.Descriptor, manifest []byte) (candidate Candidate, ok bool)
	// Verify returns the signers of subject that the policy accepts, sorted: the same lines
	// for the same candidates in any order. It reads the blobs of the candidates, one after
	// another. Its error is an *UnsignedError, a *DeniedError or an *UntrustedError, or that
	// of ctx.
	Verify(ctx context.Context, subject Subject, candidates []Candidate, read ReadBlob) (signedBy []string, err error)
}

// Signed says which manifests of an artifact must be signed.
type Signed string

const (
	// SignedArtifact demands a signature of the manifest or the index that a tag or digest names.
	SignedArtifact Signed = "artifact"
	// SignedImages demands that too, and one of each selected image of an index.
	SignedImages Signed = "images"
)

// Subject is a manifest that must be signed.
type Subject struct {
	Descriptor ocispec.Descriptor // media type, digest and size
	Repository string             // the repository of its source, such as "ghcr.io/acme/app"
}

// Candidate is a manifest that may be a signature.
type Candidate struct {
	Manifest ocispec.Descriptor
	Blobs    []ocispec.Descriptor // to read, with their annotations
	Unread   error                // why other blobs are not worth reading; nil if there are none
}

// ReadBlob returns the content of a blob of a candidate.
type ReadBlob func(ctx context.Context, blob ocispec.Descriptor) ([]byte, error)

// Denial returns the *DeniedError of a policy that accepts nothing in a repository; nil if
// signatures decide.
func Denial(p Policy, repository string) error {
	_, err := p.Verify(context.Background(), Subject{Repository: repository}, nil, nil)
	if denied, is := errors.AsType[*DeniedError](err); is {
		return denied
	}
	return nil
}
