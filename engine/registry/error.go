package registry

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

var (
	// ErrNoRange is the error for a registry that does not support Range requests.
	ErrNoRange = errors.New("the registry does not support range requests for blobs")
	// ErrStalled is the error for an open connection without progress, or nearly
	// without.
	ErrStalled = errors.New("the transfer stalled")
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
	return target == errdef.ErrNotFound && Status(e.Err) == http.StatusNotFound
}

// DownError is the error for every request to a registry that failed too often in a
// row. The client sends it no more requests.
type DownError struct {
	Registry string
	Err      error // why its last request failed
}

func (e *DownError) Error() string {
	return fmt.Sprintf("%s: skipped for the rest of this run after %d failed requests, the last: %s",
		e.Registry, downAfter, describe(e.Registry, e.Err))
}

func (e *DownError) Unwrap() error { return e.Err }

// RateLimitError is the error for a registry that asks for a longer pause than the
// client waits.
type RateLimitError struct {
	Registry   string
	RetryAfter time.Duration
}

func (e *RateLimitError) Error() string {
	return fmt.Sprintf("%s: rate limit exceeded, retry after %s", e.Registry, e.RetryAfter.Round(time.Second))
}

// BusyError is a 429 response, with the pause that the registry asks for; 0 if it does
// not say.
type BusyError struct {
	RetryAfter time.Duration
	Err        *errcode.ErrorResponse
}

func (e *BusyError) Error() string { return e.Err.Error() }
func (e *BusyError) Unwrap() error { return e.Err }

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

// CredentialError is the error for stored credentials that could not be read. It is
// returned only if the registry refuses a request without them.
type CredentialError struct {
	Registry string
	Err      error
}

func (e *CredentialError) Error() string {
	return fmt.Sprintf("credentials for %s: %v", e.Registry, e.Err)
}

func (e *CredentialError) Unwrap() error { return e.Err }

// LoginError is the error for a credential that a registry, or its token service,
// refuses. The client does not send it again.
type LoginError struct {
	Registry string
	Err      error // its response
}

func (e *LoginError) Error() string {
	return fmt.Sprintf("%s rejected the login: %s", e.Registry, describe(e.Registry, e.Err))
}

func (e *LoginError) Unwrap() error { return e.Err }

// UnreachableError is the error for a registry that cannot be reached for a permanent
// reason: its host name does not exist, or its certificate is not trusted.
type UnreachableError struct {
	Registry string
	Err      error
}

func (e *UnreachableError) Error() string { return e.Registry + ": " + describe(e.Registry, e.Err) }
func (e *UnreachableError) Unwrap() error { return e.Err }

// SettingsError is the error for invalid settings of a registry, or credentials files
// that cannot be read.
type SettingsError struct {
	Registry string
	Err      error
}

func (e *SettingsError) Error() string { return e.Registry + ": configure: " + e.Err.Error() }
func (e *SettingsError) Unwrap() error { return e.Err }

// RegistryError returns the error in err that applies to a whole registry, and so to
// everything in it: a *LoginError, an *UnreachableError or a *SettingsError. It returns
// nil if there is none.
func RegistryError(err error) error {
	var login *LoginError
	var unreachable *UnreachableError
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
