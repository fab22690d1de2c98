package cli

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/registry/credentials"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/bucket"
)

// refusal is the answer of a registry to op on a reference: a status, and codes with
// messages.
func refusal(op, reference string, status int, reasons ...string) *registry.Error {
	host, _, _ := strings.Cut(reference, "/")
	r := &errcode.ErrorResponse{Method: "GET", URL: &url.URL{Scheme: "https", Host: host}, StatusCode: status}
	for i := 0; i+1 < len(reasons); i += 2 {
		r.Errors = append(r.Errors, errcode.Error{Code: reasons[i], Message: reasons[i+1]})
	}
	return &registry.Error{Op: op, Reference: reference, Err: r}
}

// busy is the refusal of a request beyond a rate limit.
func busy(after time.Duration) error {
	e := refusal("resolve", "docker.io/library/alpine:3.20", 429, "TOOMANYREQUESTS", "You have reached your pull rate limit.")
	e.Err = &transport.BusyError{RetryAfter: after, Err: e.Err.(*errcode.ErrorResponse)}
	return e
}

// broken is a request to resolve a reference that got no answer.
func broken(reference string, err error) error {
	return &registry.Error{Op: "resolve", Reference: reference, Err: &url.Error{Op: "Get", URL: "https://registry.example/v2/", Err: err}}
}

func helperFailed(err error) error {
	const host = "registry.corp.example"
	refused := refusal("resolve", host+"/acme/app:v1", 401, "UNAUTHORIZED", "authentication required")
	helper := &credentials.HelperError{Helper: "docker-credential-pass", Address: host, Err: err}
	refused.Err = errors.Join(refused.Err, &transport.CredentialError{Registry: host, Err: helper})
	return refused
}

func alert(code tls.AlertError) error {
	return &net.OpError{Op: "remote error", Err: errors.New(code.Error())}
}

func proxied(status int, text string) error {
	return &transport.ProxyError{URL: &url.URL{Scheme: "https", Host: "ghcr.io:443"}, Proxy: "10.0.0.1:3128", Status: status, Err: errors.New(text)}
}

func untrusted(err error) error { return &tls.CertificateVerificationError{Err: err} }

func noTag(more bool, noRepository bool, tags ...string) error {
	return &engine.TagError{Repository: "ghcr.io/acme/app", Tag: "v1.32", Tags: tags, More: more, NoRepository: noRepository,
		Err: refusal("resolve", "ghcr.io/acme/app:v1.32", 404, "MANIFEST_UNKNOWN", "manifest unknown")}
}

// unaccepted is the failure of an artifact that no policy accepts.
func unaccepted(err error) error {
	return &engine.ArtifactError{Reference: "ghcr.io/acme/app:v1", Op: "verify", Err: err}
}

func refused(reasons ...error) error {
	e := &engine.UntrustedError{}
	for _, reason := range reasons {
		e.Refusals = append(e.Refusals, engine.Refusal{Signature: digest.FromString("signature"), Err: reason})
	}
	return e
}

const nightly = "s3://backups/nightly/"

// refusedByBucket is the answer of an object store to a request for index.json.
func refusedByBucket(status int, code, message string) error {
	return &store.OutputError{Path: nightly, Err: &bucket.Error{Op: "get", Name: nightly + "index.json", Status: status, Code: code,
		Region: "eu-central-1", Err: fmt.Errorf("%d %s: %s", status, code, message)}}
}

// deniedByBucket is the answer of an object store to a request that its policy does not allow.
func deniedByBucket(op string) error {
	return &store.OutputError{Path: nightly, Err: &bucket.Error{Op: op, Name: nightly, Status: 403, Code: "AccessDenied", Err: errors.New("403 AccessDenied: Access Denied")}}
}
