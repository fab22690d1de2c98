package engine

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/store"
)

// ErrNoArtifact says that a layout lists no artifact to restore.
var ErrNoArtifact = errors.New("the input has no artifacts")

// NameError says that an entry of a layout has no name that says where it belongs.
type NameError struct {
	Entry string // a bare tag, or a digest
	Place string // the target or layout that names no repository either: "the target ..."
}

func (e *NameError) Error() string {
	return fmt.Sprintf("%s has no repository in its name, and %s has none either", e.Entry, e.Place)
}

// RetagError says that a target names a tag, for an input that has more than one
// artifact, or one that has a name.
type RetagError struct {
	Target    string // REGISTRY/REPOSITORY:TAG
	Artifacts int
}

func (e *RetagError) Error() string {
	if e.Artifacts == 1 {
		return e.Target + ": a target with a tag takes an artifact without a name, the artifact in the input has one"
	}
	return fmt.Sprintf("%s: a target with a tag takes one artifact, the input has %d", e.Target, e.Artifacts)
}

// OnlyError says that a pattern of RestoreOptions.Only matches no artifact.
type OnlyError struct{ Pattern string }

func (e *OnlyError) Error() string { return fmt.Sprintf("no artifact matches %q", e.Pattern) }

// UnmatchedError says that a mapping of the run matches no artifact.
type UnmatchedError struct{ Mapping string } // its source

func (e *UnmatchedError) Error() string {
	return fmt.Sprintf("no artifact matches the mapping of %q", e.Mapping)
}

// ExistsError says that a tag of the target has another digest and may not be
// overwritten.
type ExistsError struct {
	Reference string
	Digest    digest.Digest
}

func (e *ExistsError) Error() string {
	return fmt.Sprintf("%s: push: the tag exists with the digest %s", e.Reference, e.Digest)
}

// SparseError says that a registry refuses an index because it does not have all its
// children.
type SparseError struct {
	Reference string
	Err       error
}

func (e *SparseError) Error() string {
	reason := e.Err.Error()
	if remote, is := errors.AsType[*registry.Error](e.Err); is {
		reason = remote.Reason()
	}
	return fmt.Sprintf("%s: push: the registry rejected an index without all of its platforms: %s", e.Reference, reason)
}

func (e *SparseError) Unwrap() error { return e.Err }

// MissingBlobError says that the input lacks a blob that its manifests name.
type MissingBlobError struct{ Blob string }

func (e *MissingBlobError) Error() string { return e.Blob + " is not in the input" }

// CorruptError says that the input does not hold the bytes that its manifests name.
type CorruptError struct{ Err error }

func (e *CorruptError) Error() string {
	if lacking, ok := errors.AsType[*store.LackingPartsError](e.Err); ok {
		return "a blob is " + lacking.Error() // what is there is not corrupt
	}
	return "the input is corrupt: " + e.Err.Error()
}

func (e *CorruptError) Unwrap() error { return e.Err }

// ReadbackError says that a target differs from what was pushed to it.
type ReadbackError struct {
	Reference string   // in the target
	Differs   []string // the parts that differ, each with how it does
	Again     error    // why these could not be pushed once more; nil if they were
	Err       error    // why the target could not be read at all; nil if it was
}

func (e *ReadbackError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: verify: %v", e.Reference, e.Err)
	}
	text := Readable(e.Differs)
	if e.Again != nil {
		text += fmt.Sprintf("; pushing it again failed: %v", e.Again)
	}
	return fmt.Sprintf("%s: verify: %s", e.Reference, text)
}

func (e *ReadbackError) Unwrap() error { return cmp.Or(e.Err, e.Again) }

// Readable joins the first few parts that differ, and counts the rest.
func Readable(differs []string) string {
	const most = 5
	text := strings.Join(differs[:min(most, len(differs))], "; ")
	if more := len(differs) - most; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

// ErrSpent says that the bytes of a blob passed in a pipe and cannot be read again.
// RestoreOptions.TempDir would have kept them.
var ErrSpent = errors.New("the blob came through a pipe and cannot be sent again")

// ErrWithdrawn says that the last index.json of a pipe no longer lists an artifact that was
// restored before it came.
var ErrWithdrawn = errors.New("pushed before the last index.json of the pipe, which does not list it")
