package store

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"

	"github.com/oras-mirror/oras-mirror/internal/disk"
)

// InputError reports why Path cannot be read as a layout.
type InputError struct {
	Path   string // as the caller wrote it
	Reason string // "does not exist", "empty", "tar archive without an OCI layout", ...
	Err    error  // the cause; may be nil
}

func (e *InputError) Error() string { return e.Path + ": " + e.Reason }
func (e *InputError) Unwrap() error { return e.Err }

// OutputError reports why Path cannot be written to.
type OutputError struct {
	Path string
	Err  error
}

func (e *OutputError) Error() string { return e.Path + ": " + reasonOf(e.Err) }
func (e *OutputError) Unwrap() error { return e.Err }

// GoneError reports that the output of a run was removed or replaced by others, so that
// its content is unknown.
type GoneError struct{ Path string }

func (e *GoneError) Error() string {
	return e.Path + ": was removed or replaced while it was written to"
}

// NotLayoutError reports that Path, a directory or a prefix in a bucket, has other content
// than an OCI layout. A backup does not add to it.
type NotLayoutError struct{ Path string }

func (e *NotLayoutError) Error() string {
	if IsInBucket(e.Path) {
		return e.Path + ": the bucket has other objects there, and no OCI layout"
	}
	return e.Path + ": the directory is not empty and is not an OCI layout"
}

// MismatchError reports bytes that do not match their descriptor.
type MismatchError struct {
	Descriptor ocispec.Descriptor
	Size       int64         // of the bytes found
	Digest     digest.Digest // of the bytes found; "" if only the size is known
}

func (e *MismatchError) Error() string {
	if e.Size != e.Descriptor.Size {
		return fmt.Sprintf("%s: expected %d bytes, got %d", e.Descriptor.Digest, e.Descriptor.Size, e.Size)
	}
	return fmt.Sprintf("%s: the content has the digest %s", e.Descriptor.Digest, e.Digest)
}

// Is makes errors.Is(err, content.ErrMismatchedDigest) of oras-go true.
func (e *MismatchError) Is(target error) bool { return target == content.ErrMismatchedDigest }

// IsTooManyFiles reports whether an error means that the process has too many open files.
// Then nothing is wrong with the file.
func IsTooManyFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// NameError reports an entry whose name has a digest that is not that of its manifest.
type NameError struct {
	Name   string
	Digest digest.Digest // of the manifest
}

func (e *NameError) Error() string {
	return fmt.Sprintf("%s: its manifest has the digest %s", e.Name, e.Digest)
}

// outputError returns err with path, as the user wrote it.
func outputError(path string, err error) error {
	if stranger, ok := errors.AsType[*disk.StrangerError](err); ok {
		return stranger
	}
	if _, ok := errors.AsType[*disk.LockedError](err); ok {
		return &disk.LockedError{Path: path}
	}
	if _, ok := errors.AsType[*NotLayoutError](err); ok {
		return &NotLayoutError{Path: path}
	}
	return &OutputError{Path: path, Err: err}
}

// reasonOf returns the text of err without the path of a *fs.PathError. An error of a
// rename has two paths and keeps them.
func reasonOf(err error) string {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}
