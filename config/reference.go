package config

import (
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config/internal/grammar"
)

// Reference names an artifact or, with neither tag nor digest, a whole repository.
// [ParseReference] normalizes it, so that docker.io/alpine and index.docker.io/alpine are
// docker.io/library/alpine.
type Reference struct {
	Registry   string // host or host:port
	Repository string
	Tag        string
	Digest     digest.Digest
}

// Name returns REGISTRY/REPOSITORY, without tag and digest.
func (r Reference) Name() string {
	if r.Registry == "" {
		return r.Repository
	}
	return r.Registry + "/" + r.Repository
}

// String returns REGISTRY/REPOSITORY[:TAG][@DIGEST], which parses to r again.
func (r Reference) String() string {
	s := r.Name()
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + r.Digest.String()
	}
	return s
}

// EntryName returns the name of the artifact in a layout: with its tag if it has one, else
// with its digest.
func (r Reference) EntryName() string {
	if r.Tag != "" {
		r.Digest = ""
	}
	return r.String()
}

// IsRepository reports whether r names a repository, not an artifact.
func (r Reference) IsRepository() bool {
	return r.Tag == "" && r.Digest == ""
}

// UnmarshalText parses text by [ParseReference].
func (r *Reference) UnmarshalText(text []byte) (err error) {
	*r, err = ParseReference(string(text))
	return err
}

// ParseEntryName parses the name of an entry of a layout: a full reference, as
// [Reference.EntryName] returns it, or a bare tag, for which ref has neither registry nor
// repository. ok is false if the name is neither.
func ParseEntryName(name string) (ref Reference, ok bool) {
	if ref, err := ParseReference(name); err == nil && !ref.IsRepository() {
		return ref, true
	}
	if CheckTag(name) != nil {
		return Reference{}, false
	}
	return Reference{Tag: name}, true
}

// ReferenceError reports an invalid reference, target, registry, platform or mapping.
type ReferenceError struct {
	Reference  string // as written
	Reason     string
	Suggestion string // a valid one that was probably meant; may be empty
}

func (e *ReferenceError) Error() string {
	return fmt.Sprintf("%q: %s", e.Reference, e.Reason)
}

// CheckRepository returns an error if path is not a valid name of a repository.
func CheckRepository(path string) error {
	return asError(grammar.RepositoryFault(path))
}

// CheckTag returns an error if tag is not a valid tag.
func CheckTag(tag string) error {
	return asError(grammar.TagFault(tag))
}

func asError(reason string) error {
	if reason == "" {
		return nil
	}
	return errors.New(reason)
}
