package store

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
)

// InputError says why Path cannot be read as a layout.
type InputError struct {
	Path   string // as the caller named it
	Reason string // "does not exist", "is empty", "is a tar without an OCI layout", ...
	Err    error  // what was found below; may be nil
}

func (e *InputError) Error() string { return e.Path + ": " + e.Reason }
func (e *InputError) Unwrap() error { return e.Err }

// OutputError says that Path cannot be written to.
type OutputError struct {
	Path string
	Err  error
}

func (e *OutputError) Error() string { return e.Path + ": " + reasonOf(e.Err) }
func (e *OutputError) Unwrap() error { return e.Err }

// LockedError says that another process writes to Path.
type LockedError struct{ Path string }

func (e *LockedError) Error() string { return e.Path + ": another process is writing to it" }

// GoneError says that somebody removed or replaced what a run writes to, so that
// nobody knows what is there now.
type GoneError struct{ Path string }

func (e *GoneError) Error() string {
	return e.Path + ": was removed or replaced while it was written to"
}

// NotLayoutError says that the directory Path holds something that is no OCI
// layout, which we do not mix with ours.
type NotLayoutError struct{ Path string }

func (e *NotLayoutError) Error() string {
	return e.Path + ": the directory is not empty and is not an OCI layout"
}

// MismatchError says that bytes are not what their descriptor promises.
type MismatchError struct {
	Descriptor ocispec.Descriptor
	Size       int64         // what was found
	Digest     digest.Digest // what was found; empty where the size alone tells
}

func (e *MismatchError) Error() string {
	if e.Size != e.Descriptor.Size {
		return fmt.Sprintf("%s: expected %d bytes, got %d", e.Descriptor.Digest, e.Descriptor.Size, e.Size)
	}
	return fmt.Sprintf("%s: the content has the digest %s", e.Descriptor.Digest, e.Digest)
}

// Is makes a mismatch known to those who ask in oras-go's words.
func (e *MismatchError) Is(target error) bool { return target == content.ErrMismatchedDigest }

// IsTooManyFiles tells a process that has too many files open from a file that cannot be
// had: nothing is wrong with what it reads.
func IsTooManyFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// NameError says that the name of an entry has the digest of another manifest.
type NameError struct {
	Name   string
	Digest digest.Digest // of the manifest
}

func (e *NameError) Error() string {
	return fmt.Sprintf("%s: its manifest has the digest %s", e.Name, e.Digest)
}

// outputError names path, as the user called it, as the place that cannot be
// written to.
func outputError(path string, err error) error {
	if stranger, ok := errors.AsType[*StrangerError](err); ok {
		return stranger
	}
	if _, ok := errors.AsType[*LockedError](err); ok {
		return &LockedError{Path: path}
	}
	if _, ok := errors.AsType[*NotLayoutError](err); ok {
		return &NotLayoutError{Path: path}
	}
	return &OutputError{Path: path, Err: err}
}

// reason is err without the path that a *fs.PathError repeats; a rename names two.
func reasonOf(err error) string {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}
