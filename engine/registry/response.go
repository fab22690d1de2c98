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

	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/oras-mirror/oras-mirror/internal/redact"
)

// describe returns the text of an error without the method and the URL, which repeat the
// operation and the reference.
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
		mirrored  *MirroredError
		mirror    *MirrorError
	)
	switch {
	case errors.As(err, &mirrored):
		return mirrored.text(reference)
	case errors.As(err, &mirror):
		return mirror.Error()
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
		s := "401 unauthorized, no credentials found"
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

// maxErrorBody is ample: the error responses of registries have about 200 bytes.
const maxErrorBody = 8 << 10

// responseError reads and closes an unexpected response, and returns the error for it.
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
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // a part is better than nothing
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

// hideToken removes the token that a registry was sent from its messages.
func hideToken(errs errcode.Errors, token redact.Secret) {
	for i := range errs {
		errs[i].Message = token.Hide(errs[i].Message)
		errs[i].Code = token.Hide(errs[i].Code)
		errs[i].Detail = nil // never shown
	}
}

// expect returns nil if resp has one of the statuses. Otherwise it closes resp and
// returns the error for it.
func expect(resp *http.Response, statuses ...int) error {
	for _, s := range statuses {
		if resp.StatusCode == s {
			return nil
		}
	}
	return responseError(resp)
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
