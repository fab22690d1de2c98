package registry

import (
	"errors"
	"fmt"
	"net/url"
	"testing"

	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

func TestErrorsReadAsFacts(t *testing.T) {
	response := func(host string, code int, errs ...errcode.Error) error {
		return &errcode.ErrorResponse{Method: "GET", URL: &url.URL{Scheme: "https", Host: host, Path: "/v2/"}, StatusCode: code, Errors: errs}
	}
	denied := errcode.Error{Code: "DENIED", Message: "requested access to the resource is denied"}
	for want, err := range map[string]error{
		"401 unauthorized": response("ghcr.io", 401),
		"403 forbidden: requested access to the resource is denied": response("ghcr.io", 403, denied),
		"404 not found: MANIFEST_UNKNOWN":                           response("ghcr.io", 404, errcode.Error{Code: "MANIFEST_UNKNOWN"}),
		"403 forbidden from cdn.example":                            response("cdn.example", 403),
		"no such host":                                              &url.Error{Op: "Get", URL: "https://ghcr.io/v2/", Err: errors.New("no such host")},
		"ghcr.io: rate limit exceeded, retry after 1h0m0s":          &url.Error{Err: &transport.RateLimitError{Registry: "ghcr.io", RetryAfter: 3600e9}},
		"ghcr.io: skipped for the rest of this run after 8 failed requests, the last: 502 bad gateway": &url.Error{
			Err: &transport.DownError{Registry: "ghcr.io", Err: errors.New("502 bad gateway")}},
		"401 unauthorized (credentials for ghcr.io: no helper)": fmt.Errorf("%w (%w)", response("ghcr.io", 401),
			&transport.CredentialError{Registry: "ghcr.io", Err: errors.New("no helper")}),
	} {
		e := &Error{Op: "resolve", Reference: "ghcr.io/acme/app:v1", Err: err}
		equal(t, "error", e.Error(), "ghcr.io/acme/app:v1: resolve: "+want)
	}
	hub := &Error{Op: "fetch", Reference: "docker.io/library/x:1", Err: response("registry-1.docker.io", 429)}
	equal(t, "error", hub.Error(), "docker.io/library/x:1: fetch: 429 too many requests")
}

func TestErrorOfAWholeRegistry(t *testing.T) {
	login := &transport.LoginError{Registry: "r.example", Err: errors.New("401")}
	unreachable := &transport.UnreachableError{Registry: "r.example", Err: errors.New("no such host")}
	settings := &SettingsError{Registry: "r.example", Err: errors.New("no such file")}
	for _, want := range []error{login, unreachable, settings} {
		if got := RegistryError(&Error{Op: "resolve", Reference: "r.example/app:v1", Err: &url.Error{Err: want}}); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	if got := RegistryError(&Error{Err: errors.New("404")}); got != nil {
		t.Errorf("got %v", got)
	}
}
