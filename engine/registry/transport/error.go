package transport

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

var (
	// ErrNoRange is the error for a registry that does not support Range requests.
	ErrNoRange = errors.New("the registry does not support range requests for blobs")
	// ErrStalled is the error for an open connection without progress, or nearly
	// without.
	ErrStalled = errors.New("the transfer stalled")
	// ErrResumeTimeout reports that a download did not start or resume in time.
	ErrResumeTimeout = errors.New("the download did not resume in time")
	// ErrDowngrade is the error for a redirect from https to http.
	ErrDowngrade = errors.New("refusing to go from https to http")

	// errLocation is the error for a redirect to an invalid URL.
	errLocation = errors.New("the registry sent an invalid redirect URL")
)

// downAfter is the number of different requests in a row after whose failure a registry
// counts as down: the same request again would only show that one thing is broken.
const downAfter = 8

// DownError is the error for every request to a registry that failed too often in a
// row. The client sends it no more requests.
type DownError struct {
	Registry string
	Err      error // why its last request failed
}

func (e *DownError) Error() string {
	return fmt.Sprintf("%s: skipped for the rest of this run after %d failed requests, the last: %s",
		e.Registry, downAfter, Describe(e.Registry, e.Err))
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
	return fmt.Sprintf("%s rejected the login: %s", e.Registry, Describe(e.Registry, e.Err))
}

func (e *LoginError) Unwrap() error { return e.Err }

// UnreachableError is the error for a registry that cannot be reached for a permanent
// reason: its host name does not exist, or its certificate is not trusted.
type UnreachableError struct {
	Registry string
	Err      error
}

func (e *UnreachableError) Error() string { return e.Registry + ": " + Describe(e.Registry, e.Err) }
func (e *UnreachableError) Unwrap() error { return e.Err }

// ChallengeError is the error for a registry that requires a token but does not name
// the token service.
type ChallengeError struct {
	Challenge string // the WWW-Authenticate header
}

func (e *ChallengeError) Error() string {
	return fmt.Sprintf("the registry requires a token but names no token service: WWW-Authenticate: %s", e.Challenge)
}

// ProxyError is the error for a response that comes, or seems to come, not from the registry
// but from a proxy, a firewall, or a network that requires a login first.
type ProxyError struct {
	URL    *url.URL // of the request
	Proxy  string   // HOST[:PORT] of the proxy in the environment; "" if there is none
	Status int      // of the response
	Err    error
}

func (e *ProxyError) Error() string { return e.Err.Error() }
func (e *ProxyError) Unwrap() error { return e.Err }

// ReopenError is the error of a reader whose bytes can be read again: the upload that it
// broke is sent once more, from the start, with a new reader.
type ReopenError struct{ Err error }

func (e *ReopenError) Error() string { return e.Err.Error() }
func (e *ReopenError) Unwrap() error { return e.Err }

// SourceError is an error of the reader of an upload. It is not the registry's fault, and
// would occur again.
type SourceError struct{ Err error }

func (e SourceError) Error() string { return e.Err.Error() }
func (e SourceError) Unwrap() error { return e.Err }

// statusError is a status that may change later.
type statusError struct{ code int }

func (e *statusError) Error() string {
	return fmt.Sprintf("%d %s", e.code, strings.ToLower(http.StatusText(e.code)))
}

// Describe returns the text of an error without the method and the URL, which repeat the
// operation and the reference.
func Describe(reference string, err error) string {
	if down, is := errors.AsType[*DownError](err); is {
		return down.Error()
	}
	if limited, is := errors.AsType[*RateLimitError](err); is {
		return limited.Error()
	}
	if login, is := errors.AsType[*LoginError](err); is {
		return Describe(reference, login.Err)
	}
	if lost, is := errors.AsType[*UnreachableError](err); is {
		return Describe(reference, lost.Err)
	}
	if refusal := describeRefusal(reference, err); refusal != "" {
		if helper, is := errors.AsType[*CredentialError](err); is {
			refusal += " (" + helper.Error() + ")"
		}
		return refusal
	}
	if request, is := err.(*url.Error); is {
		return request.Err.Error()
	}
	return err.Error()
}

// describeRefusal returns the text of a response that is an error, or "".
func describeRefusal(reference string, err error) string {
	if errors.Is(err, auth.ErrBasicCredentialNotFound) {
		return "401 unauthorized, no credentials found"
	}
	if response, is := errors.AsType[*errcode.ErrorResponse](err); is {
		return describeResponse(reference, response)
	}
	return ""
}

// describeResponse returns the status and the messages of a response on one line: "404
// not found: manifest unknown". It names the host if it is not the registry.
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

// Status returns the HTTP status of the response in err, or 0 if there is none.
func Status(err error) int {
	var r *errcode.ErrorResponse
	if errors.As(err, &r) {
		return r.StatusCode
	}
	return 0
}

// HasCode reports whether the response in err has an error code of the distribution
// spec.
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
