package engine

import (
	"errors"
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/content"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/store"
)

// ArtifactError says what could not be done with which artifact.
type ArtifactError struct {
	Reference string
	Op        string // "resolve", "fetch", "push", ...
	Err       error
}

func (e *ArtifactError) Error() string {
	return e.Reference + ": " + e.Op + ": " + strings.TrimPrefix(Reason(e.Reference, e.Err), e.Op+": ")
}

func (e *ArtifactError) Unwrap() error { return e.Err }

// Reason is what err says beside a reference that is named already: it leaves that
// out, and of something else in its repository the repository.
func Reason(reference string, err error) string {
	text := err.Error()
	repository := repositoryOf(reference)
	for _, known := range []string{reference + ": ", repository + "@", strings.TrimPrefix(reference, repository+"@") + ": "} {
		text = strings.TrimPrefix(text, known)
	}
	return text
}

// repositoryOf cuts tag and digest off.
func repositoryOf(reference string) string {
	name, _, _ := strings.Cut(reference, "@")
	if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
		name = name[:i]
	}
	return name
}

// CollisionError says that two sources land on one target reference with
// different digests. Nothing was written.
type CollisionError struct {
	Target  string
	Sources [2]string
}

func (e *CollisionError) Error() string {
	return fmt.Sprintf("%s and %s both map to %s", e.Sources[0], e.Sources[1], e.Target)
}

// SpaceError says that a medium has too little room for what was planned.
type SpaceError struct {
	Need, Free int64 // bytes
}

func (e *SpaceError) Error() string {
	return fmt.Sprintf("no space left: %d bytes needed, %d free", e.Need, e.Free)
}

// SelectionError says that a source selects nothing.
type SelectionError struct {
	Reference string   // a repository, or a registry
	Of        int      // how many there are to select from
	Noun      string   // what: tags, repositories
	Names     []string // those that there are, if they are few enough to be kept
}

func (e *SelectionError) Error() string {
	if e.Of == 1 && len(e.Names) == 1 {
		return fmt.Sprintf("%s: the only one of its %s, %s, is not selected", e.Reference, e.Noun, e.Names[0])
	}
	return fmt.Sprintf("%s: none of %d %s is selected", e.Reference, e.Of, e.Noun)
}

// TagError says that a repository has no such tag, and which it has.
type TagError struct {
	Repository   string // registry/path
	Tag          string
	Tags         []string // the first of those that there are, as the registry lists them
	More         bool     // it has others
	NoRepository bool     // the repository itself is not there
	Err          error    // what the registry answered
}

func (e *TagError) Error() string { return e.Err.Error() }
func (e *TagError) Unwrap() error { return e.Err }

// ErrNothing says that no artifact of a run is whole, so nothing was written.
var ErrNothing = fmt.Errorf("no artifact could be copied")

// ErrNoArtifact says that a layout lists nothing that could be restored.
var ErrNoArtifact = errors.New("the input holds no artifact")

// artifactError adds the reference where err does not bear one.
func artifactError(ref config.Reference, op string, err error) error {
	return &ArtifactError{Reference: ref.String(), Op: op, Err: err}
}

// ReferrersError says that an artifact is there and some of what refers to it
// is not.
type ReferrersError struct {
	Reference string
	Err       error
}

func (e *ReferrersError) Error() string {
	return e.Reference + ": referrers: " + Reason(e.Reference, e.Err)
}

func (e *ReferrersError) Unwrap() error { return e.Err }

// isWrong tells whether what came was other bytes, or another number of them, than
// was asked for. That may be the fault of one answer, so it is worth another one.
func isWrong(err error) bool {
	return isMismatch(err) || errors.Is(err, content.ErrInvalidDescriptorSize) || errors.Is(err, content.ErrTrailingData)
}

func isMismatch(err error) bool {
	var mismatch *store.MismatchError
	return errors.As(err, &mismatch)
}

// NameError says that an entry of a layout has no name that says where it belongs.
type NameError struct {
	Entry string // a bare tag, or a digest
	Place string // what could have named a repository for it: "the target ..."
}

func (e *NameError) Error() string {
	return fmt.Sprintf("%s has no repository in its name, and %s names none", e.Entry, e.Place)
}

// RetagError says that a target names a tag, for an input that has more than one
// artifact, or one that has a name.
type RetagError struct {
	Target    string // REGISTRY/REPOSITORY:TAG
	Artifacts int
}

func (e *RetagError) Error() string {
	if e.Artifacts == 1 {
		return e.Target + ": the tag is for an artifact without a name, and that of the input has one"
	}
	return fmt.Sprintf("%s: the tag is for one artifact, and the input has %d", e.Target, e.Artifacts)
}

// OnlyError says that a pattern selects nothing.
type OnlyError struct{ Pattern string }

func (e *OnlyError) Error() string { return fmt.Sprintf("no artifact matches %q", e.Pattern) }

// UnmatchedError says that a mapping of the run moves nothing.
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
	var remote *registry.Error
	if errors.As(e.Err, &remote) {
		reason = remote.Reason()
	}
	return fmt.Sprintf("%s: push: the registry refuses an index without all of its platforms: %s", e.Reference, reason)
}

func (e *SparseError) Unwrap() error { return e.Err }

// MissingError says that the input lacks what its index promises.
type MissingError struct{ Blob string }

func (e *MissingError) Error() string { return e.Blob + " is not in the input" }

// CorruptError says that the input holds other bytes than its manifests say.
type CorruptError struct{ Err error }

// corrupt says of what could not be read that the input is at fault, unless it is not.
func corrupt(err error) error {
	if store.IsTooManyFiles(err) {
		return err
	}
	return &CorruptError{Err: err}
}

func (e *CorruptError) Error() string { return "the input is corrupt: " + e.Err.Error() }

func (e *CorruptError) Unwrap() error { return e.Err }

var errNoTarget = errors.New("no target")
