// Package source holds the inputs of a restore: layouts, pipes, and the interfaces by which a
// restore reads them and others. It also checks the signatures in an input without a network.
package source

import (
	"context"
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/internal/scope"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/disk"
)

// Source holds the artifacts that a restore copies: a layout, or a pipe. A restore
// never asks which of them it has. Calls may be concurrent, but Blobs is called once,
// and Revised after it.
type Source interface {
	// Roots lists the artifacts, with those that cosign attached to others by tags.
	Roots() []origin.Root
	// Family lists a manifest and, of an index, the manifests below it: cosign attaches
	// its tags to any of them.
	Family(desc ocispec.Descriptor) []digest.Digest
	// Walk reads the graph of a root, with the referrers that belong to its repository;
	// where that is "", with all.
	Walk(ctx context.Context, repository string, root content.Descriptor, s *scope.Scope) (*graph.Visit, error)
	// Manifest returns the bytes of a root, verified.
	Manifest(ctx context.Context, root content.Descriptor, s *scope.Scope) ([]byte, error)
	// Certain lists the blobs that a manifest names and the source is sure to have.
	Certain(v *graph.Visit) []*graph.Blob
	// Blobs gives the wanted blobs to a sink, in the order that suits the source.
	Blobs(ctx context.Context, wanted []content.Descriptor, to Sink) error
	// Content returns the bytes of a blob again. Those of a pipe are spent.
	Content(b content.Descriptor) Content
	// Fault turns an error of Walk or Manifest into the error of the artifact.
	Fault(err error) error
	// Blame returns the reason for which an upload was refused: an *engine.CorruptError if the
	// source has other bytes than the manifests say, else the refusal itself.
	Blame(b content.Descriptor, refusal error) error
	// Revised returns the source as its end corrected it, nil if it is unchanged.
	Revised() Source
}

// Key identifies an entry of index.json with its content.
type Key struct {
	Name   string
	Digest digest.Digest
}

// KeyOf returns the key of a root.
func KeyOf(root origin.Root) Key { return Key{root.Entry.Name, root.Entry.Digest} }

// Distant is a Source that sends a request for each part that is read. A root is resolved
// in its target before it is walked, and one that the target has is walked no further than
// needed.
type Distant interface {
	Source
	// Children reads a root alone, and lists its children that the scope selects.
	Children(ctx context.Context, root content.Descriptor, s *scope.Scope) ([]ocispec.Descriptor, error)
	// Homes lists the repositories of a registry that are known to have a blob.
	Homes(registry string, b content.Descriptor) []string
	// Landed records that a repository of a target has a blob now.
	Landed(registry, path string, b content.Descriptor)
	// IsPart reports whether Roots are only a part of those of a sync, which checked all of them.
	IsPart() bool
	// Fetches returns the number of requests that fetch a blob, and whether all targets
	// share them.
	Fetches(b content.Descriptor) (requests int, shared bool)
	// SignedBy returns the signers of an artifact that a policy accepts; nil if it needs none.
	SignedBy(ctx context.Context, root *graph.Visit, s *scope.Scope) ([]string, error)
	// Lacks returns an error if the source could not read all referrers of an artifact.
	Lacks(root *graph.Visit, s *scope.Scope) error
}

// Dependent is a Source that leaves blobs to its base: a delta.
type Dependent interface {
	// Left returns an *engine.NeedsBaseError if the source leaves a blob to its base, else nil.
	Left(b content.Descriptor) error
	// Home returns a repository, REGISTRY/PATH, from which the base has a blob that it leaves;
	// "" if one that needs the blob is among them, or none is known.
	Home(b content.Descriptor) string
	// IsAlone reports whether the source is a delta whose base is no input beside it.
	IsAlone() bool
}

// Checker is a Source that has the signatures of its roots, and needs no network to check them.
// A sync checks those of its plan instead.
type Checker interface {
	// Check returns the signers of a root that the policies accept; nil if it needs none. Its
	// error is ErrAwaited while blobs of signatures are still to come.
	Check(ctx context.Context, t engine.Trust, root origin.Root) (signedBy []string, err error)
}

// Sink takes blobs from a source. Its methods are called by one goroutine; an error ends
// the run.
type Sink interface {
	// Start says that the roots are final: no artifact is pushed before.
	Start() error
	// Queue sends a blob that can be opened as often as needed. done, unless it is nil, is
	// called when no more of it is needed.
	Queue(b content.Descriptor, c Content, done func())
	// Pass sends a blob that can be read until it returns. arrived then reports whether the
	// bytes were right; if not, the blob is still wanted.
	Pass(ctx context.Context, b content.Descriptor, c Content, arrived func() bool) error
	// Borrow looks in the targets for a blob that the source leaves to its base. why is the error
	// of a target that does not have it.
	Borrow(b content.Descriptor, why error)
	// Find looks in the targets for a blob that the source had and has no more.
	Find(b content.Descriptor)
	// Lack gives up a blob that the source lacks.
	Lack(b content.Descriptor, why error) error
}

// Content is the bytes of one blob.
type Content interface {
	// Open returns the bytes from the start. They are verified as they pass, unless the
	// registry that gets them is trusted to do so. Its error is final, except for a
	// *transport.ReopenError.
	Open(ctx context.Context, r Reading) (io.ReadCloser, error)
	// Verified reports whether the bytes are verified already: trusted makes no difference.
	Verified() bool
}

// Reading describes one read of a blob, for one target.
type Reading struct {
	Heard   func(n int64)        // called with the number of bytes that were read
	Trusted bool                 // the target verifies the bytes
	To      *registry.Repository // the target
}

// Corrupt blames the input for a part that could not be read, unless this machine is at
// fault.
func Corrupt(err error) error {
	if disk.IsTooManyFiles(err) {
		return err
	}
	return &engine.CorruptError{Err: err}
}
