package engine

import (
	"context"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Base has the content that a backup leaves out, which makes its output a delta. Calls may be
// concurrent.
type Base interface {
	// Names returns the names of the bases, for people.
	Names() []string
	// Roots returns the [oci.Index.RootsDigest] of each base.
	Roots() []digest.Digest
	// Homes returns the repositories that have a blob, as far as they are known; ok is
	// false if no base has it with that size.
	Homes(desc ocispec.Descriptor) (repositories []string, ok bool)
	// Check returns a *BaseChangedError if a base is no longer what was read.
	Check(ctx context.Context) error
}

// BaseChangedError says that a base changed while a delta to it was written.
type BaseChangedError struct{ Base string }

func (e *BaseChangedError) Error() string { return e.Base + ": the base changed while it was read" }

// DeltaOutputError says that a backup without a base would write into a delta.
type DeltaOutputError struct {
	Path string
	Base string // its name, for people
}

func (e *DeltaOutputError) Error() string {
	return e.Path + " is a delta: it leaves blobs to " + e.Base
}

// FullOutputError says that a backup with a base would write into a layout that is complete.
type FullOutputError struct{ Path string }

func (e *FullOutputError) Error() string {
	return e.Path + " is a complete layout, and a delta cannot be added to it"
}

// NeedsBaseError says that a blob is neither in a delta nor in the target: the base of the delta
// has it.
type NeedsBaseError struct {
	Base string // the names of the bases, for people
	Blob digest.Digest
}

func (e *NeedsBaseError) Error() string {
	return "needs " + e.Base + ": " + e.Blob.String() + " is neither in the input nor in the target"
}
