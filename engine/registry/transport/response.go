package transport

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/oras-mirror/oras-mirror/internal/redact"
)

// responseError reads and closes an unexpected response, and returns the error for it.
func responseError(resp *http.Response) error {
	defer resp.Body.Close()
	e := &errcode.ErrorResponse{
		Method:     resp.Request.Method,
		URL:        Redacted(resp.Request.URL),
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
