package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
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
	if bucket.Is(e.Path) {
		return e.Path + ": the bucket has other objects there, and no OCI layout"
	}
	return e.Path + ": the directory is not empty and is not an OCI layout"
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

// inputError returns err as an *InputError. If the temporary file cannot be written, the
// error stays an *OutputError.
func inputError(path string, err error) error {
	_, input := errors.AsType[*InputError](err)
	_, output := errors.AsType[*OutputError](err)
	if input || output {
		return err
	}
	return &InputError{Path: path, Reason: inputReason(err), Err: err}
}

func inputReason(err error) string {
	if format, ok := errors.AsType[*bundle.FormatError](err); ok {
		return fmt.Sprintf("truncated or damaged at byte %d: %s", format.Offset, format.Reason)
	}
	if _, ok := errors.AsType[*oci.IndexError](err); ok {
		return err.Error()
	}
	switch {
	case IsPassing(err):
		return reasonOf(err)
	case errors.Is(err, fs.ErrNotExist):
		return "does not exist"
	case errors.Is(err, bundle.ErrNotArchive):
		return "neither a directory nor a tar archive"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "truncated"
	}
	return reasonOf(err)
}

var (
	errEmpty    = errors.New("empty")
	errNoLayout = errors.New("tar archive without an OCI layout")
	errNoIndex  = errors.New("OCI layout without an index.json")
)

// The errors of a bucket that say nothing about the content of an object.
var (
	// ErrUnavailable is the error of a bucket that does not answer, or that refuses: later, or
	// with other credentials, the same may succeed.
	ErrUnavailable = bucket.ErrUnavailable
	// ErrRefused is an ErrUnavailable of a bucket that answered, and that will give the same
	// answer until someone changes its rights, the credentials or the settings.
	ErrRefused = bucket.ErrRefused
	// ErrReplaced is the error of a read from an object that was replaced since it was opened.
	ErrReplaced = bucket.ErrCondition
)

// IsPassing reports whether an input could not be read for a reason that says nothing about
// its content.
func IsPassing(err error) bool {
	return errors.Is(err, ErrUnavailable) || errors.Is(err, ErrReplaced)
}

func isNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }
