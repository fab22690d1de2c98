package config

import (
	"fmt"

	"github.com/opencontainers/go-digest"
)

// Reference names an artifact, or with neither tag nor digest a whole
// repository. It is made by [ParseReference], so that docker.io/alpine and
// index.docker.io/alpine are docker.io/library/alpine everywhere behind it.
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

// EntryName returns what the artifact is called in a layout: by its tag where
// it has one, else by its digest.
func (r Reference) EntryName() string {
	if r.Tag != "" {
		r.Digest = ""
	}
	return r.String()
}

// IsRepository says that r names a repository and no artifact of it.
func (r Reference) IsRepository() bool {
	return r.Tag == "" && r.Digest == ""
}

// UnmarshalText takes what [ParseReference] takes.
func (r *Reference) UnmarshalText(text []byte) (err error) {
	*r, err = ParseReference(string(text))
	return err
}

// ReferenceError says what is wrong with a reference, a target, a registry, a
// platform or a mapping that somebody wrote.
type ReferenceError struct {
	Reference  string // as it was written
	Reason     string
	Suggestion string // what was perhaps meant; empty if nobody can tell
}

func (e *ReferenceError) Error() string {
	return fmt.Sprintf("%q: %s", e.Reference, e.Reason)
}
