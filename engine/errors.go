package engine

import (
	"errors"
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/config"
)

// ArtifactError says which operation failed for which artifact.
type ArtifactError struct {
	Reference string
	Op        string // "resolve", "fetch", "push", ...
	Err       error
}

// OpVerify is the operation that failed for an artifact whose signatures no policy accepts, and
// for one that a target does not give back as it was pushed.
const OpVerify = "verify"

func (e *ArtifactError) Error() string {
	return e.Reference + ": " + e.Op + ": " + strings.TrimPrefix(Reason(e.Reference, e.Err), e.Op+": ")
}

func (e *ArtifactError) Unwrap() error { return e.Err }

// Reason returns the text of err beside a reference that is named already: without the
// reference, and for another name in its repository without the repository.
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
	Of        int      // the number of tags or repositories to select from
	Noun      string   // "tags" or "repositories"
	Names     []string // their names, if there are few
}

func (e *SelectionError) Error() string {
	if e.Of == 1 && len(e.Names) == 1 {
		return fmt.Sprintf("%s: the only one of its %s, %s, is not selected", e.Reference, e.Noun, e.Names[0])
	}
	return fmt.Sprintf("%s: none of %d %s is selected", e.Reference, e.Of, e.Noun)
}

// VersionError says that a chart has no version that a constraint allows.
type VersionError struct {
	Chart      string
	Constraint string   // "" allows all but pre-releases
	Versions   []string // those that there are, as listed
}

func (e *VersionError) Error() string {
	if len(e.Versions) == 0 {
		return e.Chart + ": no versions of a chart found"
	}
	if e.Constraint == "" {
		return e.Chart + ": only pre-releases found"
	}
	return fmt.Sprintf("%s: none of its %d versions matches %q", e.Chart, len(e.Versions), e.Constraint)
}

// Is makes errors.Is(err, errdef.ErrNotFound) true.
func (e *VersionError) Is(target error) bool { return target == errdef.ErrNotFound }

// RemadeError reports a chart whose file on the server changed after its artifact was locked.
type RemadeError struct{ Wanted, Got digest.Digest }

func (e *RemadeError) Error() string {
	return fmt.Sprintf("the chart has changed: expected %s, got %s", e.Wanted, e.Got)
}

// TagError says that a repository lacks a tag, and lists the tags that it has.
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
var ErrNothing = errors.New("no artifact could be copied")

// ReferrersError says that an artifact was copied, but not all of its referrers.
type ReferrersError struct {
	Reference string
	Err       error
}

func (e *ReferrersError) Error() string {
	return e.Reference + ": referrers: " + Reason(e.Reference, e.Err)
}

func (e *ReferrersError) Unwrap() error { return e.Err }

// PlatformError says that an index has no child of a wanted platform.
type PlatformError struct {
	Reference string
	Wanted    []config.Platform
	Have      []string // the platforms that there are
}

func (e *PlatformError) Error() string {
	wanted := make([]string, len(e.Wanted))
	for i, p := range e.Wanted {
		wanted[i] = p.String()
	}
	return fmt.Sprintf("%s: no image for %s, only for %s", e.Reference, strings.Join(wanted, ","), strings.Join(e.Have, ", "))
}

// EntryNameError says that a layout gives an artifact a name that is invalid in every
// registry.
type EntryNameError struct {
	Name   string
	Reason string
}

func (e *EntryNameError) Error() string { return fmt.Sprintf("%s: %s", e.Name, e.Reason) }

// ErrUnfinished is the error of an artifact that had not failed when the run ended.
var ErrUnfinished = errors.New("not copied: the run ended first")
