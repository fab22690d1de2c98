package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/oras-mirror/oras-mirror/internal/redact"
)

var (
	// ErrNoRange says that a registry sends whole blobs only.
	ErrNoRange = errors.New("the registry gives no parts of a blob")
	// ErrStalled says that a connection was open and nothing moved on it, or next to
	// nothing.
	ErrStalled = errors.New("the transfer stalled")
	// ErrSchema1 says that a manifest is of the format before 2016, whose digest
	// is not that of its bytes: it cannot be carried to another registry.
	ErrSchema1 = errors.New("the manifest has the retired docker schema 1; push the image again with a current tool")
	// ErrNotManifest says that what a registry calls a manifest is none.
	ErrNotManifest = errors.New("not a manifest")
	// ErrDowngrade says that a registry asked over https sends us on to http.
	ErrDowngrade = errors.New("refusing to go from https to http")
	// ErrEndlessTags says that a registry's pages of tags lead nowhere.
	ErrEndlessTags = errors.New("the pages of the tag list do not end")
)

// Error is what every method of a Repository returns. A registry's answer is
// reached by errors.As for *errcode.ErrorResponse (status) and errcode.Error
// (code); errors.Is(err, errdef.ErrNotFound) is true for a 404.
type Error struct {
	Op        string // "resolve", "fetch", "push", "mount", "check", "list tags", "list referrers", "configure"
	Reference string // an artifact, a blob as repository@digest, a repository or a registry
	Err       error
}

func (e *Error) Error() string {
	return e.Reference + ": " + e.Op + ": " + e.Reason()
}

// Reason returns what went wrong, without the reference and the operation.
func (e *Error) Reason() string { return describe(e.Reference, e.Err) }

func (e *Error) Unwrap() error { return e.Err }

// Is makes a 404 of the registry what oras-go calls not found.
func (e *Error) Is(target error) bool {
	return target == errdef.ErrNotFound && Status(e.Err) == http.StatusNotFound
}

// DownError says that a registry was given up for the rest of the run.
type DownError struct {
	Registry string
	Err      error // why its last request failed
}

func (e *DownError) Error() string {
	return fmt.Sprintf("%s is given up for this run after %d failed requests, the last: %s",
		e.Registry, downAfter, describe(e.Registry, e.Err))
}

func (e *DownError) Unwrap() error { return e.Err }

// RateLimitError says that a registry wants us to stay away for longer than a
// run should wait.
type RateLimitError struct {
	Registry   string
	RetryAfter time.Duration
}

func (e *RateLimitError) Error() string {
	return fmt.Sprintf("%s limits the rate and asks for a pause of %s", e.Registry, e.RetryAfter.Round(time.Second))
}

// BusyError is an answer of 429, and how long the registry wants to be left
// alone; 0 if it does not say.
type BusyError struct {
	RetryAfter time.Duration
	Err        *errcode.ErrorResponse
}

func (e *BusyError) Error() string { return e.Err.Error() }
func (e *BusyError) Unwrap() error { return e.Err }

// NoReferrersAPIError says that a registry lacks the referrers API that its settings
// promise.
type NoReferrersAPIError struct {
	Registry string
	Err      error // what it answered
}

func (e *NoReferrersAPIError) Error() string {
	return fmt.Sprintf("%s has no referrers API (%s): %s", e.Registry, specAPI, describe(e.Registry, e.Err))
}

func (e *NoReferrersAPIError) Unwrap() error { return e.Err }

// CredentialError says why the stored credentials of a registry could not be
// had. It is told only if the registry turns us away without them.
type CredentialError struct {
	Registry string
	Err      error
}

func (e *CredentialError) Error() string {
	return fmt.Sprintf("credentials for %s: %v", e.Registry, e.Err)
}

func (e *CredentialError) Unwrap() error { return e.Err }

// LoginError says that a registry, or its token service, refuses our credential. It is not
// shownToken to it again in this run.
type LoginError struct {
	Registry string
	Err      error // what it answered
}

func (e *LoginError) Error() string {
	return fmt.Sprintf("%s refuses the login: %s", e.Registry, describe(e.Registry, e.Err))
}

func (e *LoginError) Unwrap() error { return e.Err }

// UnreachableError says that a registry cannot be reached at all, for a reason that stays:
// there is no host of its name, or no authority vouches for its certificate.
type UnreachableError struct {
	Registry string
	Err      error
}

func (e *UnreachableError) Error() string { return e.Registry + ": " + describe(e.Registry, e.Err) }
func (e *UnreachableError) Unwrap() error { return e.Err }

// SettingsError says that the settings of a registry, or the credentials files, cannot be
// used.
type SettingsError struct {
	Registry string
	Err      error
}

func (e *SettingsError) Error() string { return e.Registry + ": configure: " + e.Err.Error() }
func (e *SettingsError) Unwrap() error { return e.Err }

// RegistryError returns the error of a whole registry that is behind err: it holds for all that
// is there. nil if there is none.
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

// describe says what happened without repeating the method and the URL, which
// the reference and the operation stand for already.
func describe(reference string, err error) string {
	var (
		down      *DownError
		limited   *RateLimitError
		noAPI     *NoReferrersAPIError
		login     *LoginError
		lost      *UnreachableError
		helper    *CredentialError
		response  *errcode.ErrorResponse
		transport *url.Error
	)
	switch {
	case errors.As(err, &down):
		return down.Error()
	case errors.As(err, &limited):
		return limited.Error()
	case errors.As(err, &noAPI):
		return noAPI.Error()
	case errors.As(err, &login):
		return describe(reference, login.Err)
	case errors.As(err, &lost):
		return describe(reference, lost.Err)
	case errors.Is(err, auth.ErrBasicCredentialNotFound):
		s := "401 unauthorized, and there are no credentials"
		if errors.As(err, &helper) {
			s += " (" + helper.Error() + ")"
		}
		return s
	case errors.As(err, &response):
		s := describeResponse(reference, response)
		if errors.As(err, &helper) {
			s += " (" + helper.Error() + ")"
		}
		return s
	}
	if errors.As(err, &transport) && err == error(transport) {
		return transport.Err.Error()
	}
	return err.Error()
}

// describeResponse puts a status and what the registry says about it on one
// line: "404 not found: manifest unknown". A host is named if it is another.
func describeResponse(reference string, r *errcode.ErrorResponse) string {
	s := fmt.Sprintf("%d %s", r.StatusCode, strings.ToLower(http.StatusText(r.StatusCode)))
	if r.URL != nil && !strings.HasPrefix(reference, strings.TrimPrefix(r.URL.Host, "registry-1.")) {
		s += " from " + r.URL.Host
	}
	for _, e := range r.Errors {
		if e.Message != "" {
			s += ": " + e.Message
		} else if e.Code != "" {
			s += ": " + e.Code
		}
	}
	return s
}

// maxErrorBody is ample: what registries say about an error has about 200 bytes.
const maxErrorBody = 8 << 10

// responseError reads and closes a response that is not the one wanted.
func responseError(resp *http.Response) error {
	defer resp.Body.Close()
	e := &errcode.ErrorResponse{
		Method:     resp.Request.Method,
		URL:        redacted(resp.Request.URL),
		StatusCode: resp.StatusCode,
	}
	var body struct {
		Errors errcode.Errors `json:"errors"`
	}
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // what came of it, if it breaks
	if json.NewDecoder(bytes.NewReader(answer)).Decode(&body) == nil {
		e.Errors = body.Errors
	}
	_, signed, _ := strings.Cut(resp.Request.Header.Get("Authorization"), " ")
	for _, token := range []string{signed, shownTokenValue(resp.Request.Context())} {
		if token != "" {
			hideToken(e.Errors, redact.New(token))
		}
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		now := time.Now()
		return &BusyError{RetryAfter: retryAfter(resp.Header, serverClock(resp.Header, now)), Err: e}
	}
	return blameProxy(resp, isHTML(answer) || len(answer) == 0 && claimsHTML(resp), e)
}

// hideToken takes out of what a registry says the token that it was sent.
func hideToken(errs errcode.Errors, token redact.Secret) {
	for i := range errs {
		errs[i].Message = token.Hide(errs[i].Message)
		errs[i].Code = token.Hide(errs[i].Code)
		errs[i].Detail = nil // nobody is shown it
	}
}

// expect returns nil if resp has one of the statuses, and else reads and closes
// it and returns the error that it stands for.
func expect(resp *http.Response, statuses ...int) error {
	for _, s := range statuses {
		if resp.StatusCode == s {
			return nil
		}
	}
	return responseError(resp)
}

// Status returns the status of the response in err, or 0.
func Status(err error) int {
	var r *errcode.ErrorResponse
	if errors.As(err, &r) {
		return r.StatusCode
	}
	return 0
}

// HasCode reports whether a registry gave that code (of the distribution
// specification) among the reasons of its answer.
func HasCode(err error, code string) bool {
	var r *errcode.ErrorResponse
	if !errors.As(err, &r) {
		return false
	}
	for _, e := range r.Errors {
		if e.Code == code {
			return true
		}
	}
	return false
}
