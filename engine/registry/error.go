package registry

import (
	"errors"
	"fmt"
	"net/http"

	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

var (
	// ErrSchema1 is the error for a manifest in the format from before 2016. Its
	// digest is not the digest of its bytes, so it cannot be copied to another registry.
	ErrSchema1 = errors.New("the manifest uses Docker schema 1, which is obsolete; push the image again with a current tool")
	// ErrNotManifest is the error for a response that is not a manifest.
	ErrNotManifest = errors.New("not a manifest")
	// ErrEndlessTags is the error for a list of tags whose pages do not end.
	ErrEndlessTags = errors.New("the pages of the tag list do not end")
)

// Error is the error of every method of a Repository. errors.As finds the registry's
// response as *errcode.ErrorResponse (status) and errcode.Error (code);
// errors.Is(err, errdef.ErrNotFound) is true for a 404.
type Error struct {
	Op        string // "resolve", "fetch", "push", "mount", "check", "list tags", "list referrers", "configure"
	Reference string // an artifact, a blob as repository@digest, a repository or a registry
	Err       error
}

func (e *Error) Error() string {
	return e.Reference + ": " + e.Op + ": " + e.Reason()
}

// Reason returns the text of the error without the reference and the operation.
func (e *Error) Reason() string { return describe(e.Reference, e.Err) }

func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is(err, errdef.ErrNotFound) true for a 404.
func (e *Error) Is(target error) bool {
	return target == errdef.ErrNotFound && transport.Status(e.Err) == http.StatusNotFound
}

// SettingsError is the error for invalid settings of a registry, or credentials files
// that cannot be read.
type SettingsError struct {
	Registry string
	Err      error
}

func (e *SettingsError) Error() string { return e.Registry + ": configure: " + e.Err.Error() }

func (e *SettingsError) Unwrap() error { return e.Err }

// RegistryError returns the error in err that applies to a whole registry, and so to
// everything in it: a *transport.LoginError, a *transport.UnreachableError or a
// *SettingsError. It returns nil if there is none.
func RegistryError(err error) error {
	var login *transport.LoginError
	var unreachable *transport.UnreachableError
	var settings *SettingsError
	switch {
	case errors.As(err, &login):
		return login
	case errors.As(err, &unreachable):
		return unreachable
	case errors.As(err, &settings):
		return settings
	}
	return nil
}

// NoReferrersAPIError is the error for a registry without the referrers API that its
// settings promise.
type NoReferrersAPIError struct {
	Registry string
	Err      error // its response
}

func (e *NoReferrersAPIError) Error() string {
	return fmt.Sprintf("%s has no referrers API (%s): %s", e.Registry, specAPI, describe(e.Registry, e.Err))
}

func (e *NoReferrersAPIError) Unwrap() error { return e.Err }

// MirrorError is the error of a mirror.
type MirrorError struct {
	Mirror    string // REGISTRY[/PREFIX]
	Reference string // as the mirror names it
	Op        string // as in Error
	Err       error
}

func (e *MirrorError) Error() string {
	return fmt.Sprintf("mirror %s: %s", e.Mirror, describe(e.Reference, e.Err))
}

func (e *MirrorError) Unwrap() error { return e.Err }

// MirroredError is the error of a registry, with those of its mirrors, which were asked first.
// errors.Is and errors.As see only that of the registry.
type MirroredError struct {
	Err     error
	Mirrors []error // of type *MirrorError
}

func (e *MirroredError) Error() string { return e.text("") }

func (e *MirroredError) Unwrap() error { return e.Err }

// text describes the errors; reference is that of the registry.
func (e *MirroredError) text(reference string) string {
	s := describe(reference, e.Err)
	for _, err := range e.Mirrors {
		s += "; " + err.Error()
	}
	return s
}

// describe returns the text of an error without the method and the URL, which repeat the
// operation and the reference.
func describe(reference string, err error) string {
	if mirrored, is := errors.AsType[*MirroredError](err); is {
		return mirrored.text(reference)
	}
	if mirror, is := errors.AsType[*MirrorError](err); is {
		return mirror.Error()
	}
	if noAPI, is := errors.AsType[*NoReferrersAPIError](err); is {
		return noAPI.Error()
	}
	return transport.Describe(reference, err)
}

func isType[E error](err error) bool {
	_, is := errors.AsType[E](err)
	return is
}
