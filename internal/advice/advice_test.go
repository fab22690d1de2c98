package advice

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/store"
)

// answer returns the error of a registry for a reference.
func answer(reference string, status int, codes ...string) error {
	response := &errcode.ErrorResponse{Method: "GET", URL: &url.URL{Scheme: "http", Host: "a.io"}, StatusCode: status}
	for _, code := range codes {
		response.Errors = append(response.Errors, errcode.Error{Code: code})
	}
	return &registry.Error{Op: "fetch", Reference: reference, Err: response}
}

func TestHints(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("DOCKER_CONFIG", "")
	const ref = "a.io/team/app:v1"
	untrusted := &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
	for _, test := range []struct {
		name string
		err  error
		want string // none if empty
	}{
		{"usage", exit.Usage("do this", "wrong"), "do this"},
		{"reference", &config.ReferenceError{Reference: "nginx", Suggestion: "docker.io/library/nginx"}, `did you mean "docker.io/library/nginx"?`},
		{"reference without advice", &config.ReferenceError{Reference: "??"}, ""},
		{"fault", config.Fault{Message: "unknown key", Suggestion: "sources"}, `did you mean "sources"?`},
		{"not logged in", &registry.Error{Op: "fetch", Reference: ref, Err: auth.ErrBasicCredentialNotFound}, `"oras login a.io"`},
		{"unauthorized", answer(ref, 401, "UNAUTHORIZED"), `"oras login a.io"`},
		{"forbidden", answer(ref, 403, "DENIED"), "check that the account"},
		{"unauthorized at a mirror", &registry.Error{Op: "resolve", Reference: ref, Err: &registry.MirrorError{Mirror: "b.io/hub", Reference: "b.io/hub/team/app:v1", Op: "resolve", Err: auth.ErrBasicCredentialNotFound}}, `"oras login b.io"`},
		{"unknown tag", answer(ref, 404, "MANIFEST_UNKNOWN"), `"oras repo tags a.io/team/app"`},
		{"unknown tag, HEAD", answer(ref, 404), `"oras repo tags a.io/team/app"`},
		{"unknown repository", answer(ref, 404, "NAME_UNKNOWN"), `"oras repo ls a.io"`},
		{"unknown repository, tags", answer("a.io/team/app", 404), `"oras repo ls a.io"`},
		{"absent blob", answer("a.io/team/app@sha256:"+strings.Repeat("1", 64), 404), ""},
		{"server error", answer(ref, 500), ""},
		{"rate limit", answer(ref, 429, "TOOMANYREQUESTS"), "requestsPerSecond"},
		{"long pause", &registry.Error{Err: &transport.RateLimitError{}}, "requestsPerSecond"},
		{"certificate", &registry.Error{Err: &url.Error{Err: untrusted}}, "--ca-file"},
		{"http for https", &registry.Error{Err: &url.Error{Err: http.ErrSchemeMismatch}}, "--plain-http"},
		{"https for http", answer(ref, 400), "--plain-http=false"},
		{"refused manifest", answer(ref, 400, "MANIFEST_INVALID"), ""},
		{"registry down", &transport.DownError{Registry: "a.io", Err: errors.New("refused")}, "retry when the registry is back"},
		{"collision", &engine.CollisionError{}, "mappings"},
		{"pattern", &engine.OnlyError{Pattern: "x"}, "oras-mirror list"},
		{"no name", &engine.NameError{}, "REGISTRY/REPOSITORY"},
		{"nothing selected", &engine.SelectionError{Reference: "a.io/b"}, "optional: true"},
		{"nothing selected of few", &engine.SelectionError{Reference: "a.io/b", Noun: "tags", Names: []string{"v1", "v2"}}, "the tags are v1, v2; "},
		{"nothing selected of many", &engine.SelectionError{Noun: "tags", Names: []string{"v0", "v1", "v2", "v3", "v4", "v5"}}, "the last tags of the list are v1, v2, v3, v4, v5; "},
		{"no such platform", &engine.PlatformError{Have: []string{"linux/arm64"}}, "linux/arm64"},
		{"sparse index", &engine.SparseError{Err: answer(ref, 400, "MANIFEST_BLOB_UNKNOWN")}, "platformMode: rewrite"},
		{"tag exists", &engine.ExistsError{}, "existingTags"},
		{"spent", fmt.Errorf("push: %w", engine.ErrSpent), "--temp-dir"},
		{"no lock", &exit.NoLockError{Path: "x.lock.yaml"}, "oras-mirror lock"},
		{"drift", &exit.DriftError{}, "oras-mirror lock"},
		{"all too new", &exit.WaitingError{}, "oras-mirror lock -f SPEC --check"},
		{"disk full", &store.OutputError{Err: &fs.PathError{Err: syscall.ENOSPC}}, "free some space"},
		{"too little room", &engine.SpaceError{}, "free some space"},
		{"locked", &disk.LockedError{Path: "x"}, "wait for the other"},
		{"no layout", &store.NotLayoutError{Path: "x"}, "empty directory"},
		{"no archive", &store.InputError{Path: "x", Reason: "is nothing"}, "any other OCI layout"},
		{"truncated", &store.InputError{Path: "x", Err: io.ErrUnexpectedEOF}, "copy it again"},
		{"no input", &store.InputError{Path: "x", Err: fs.ErrNotExist}, ""},
		{"text alone", errors.New("401 unauthorized: x509: certificate signed by unknown authority: no space left on device"), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, err := range []error{test.err, fmt.Errorf("wrapped: %w", test.err)} {
				got := Hints{}.Of(err)
				if test.want == "" && got != "" || !strings.Contains(got, test.want) {
					t.Errorf("%v: got %q, want %q", err, got, test.want)
				}
			}
		})
	}
}

func TestHintsKnowCredentials(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("DOCKER_CONFIG", dir)
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"auths": {"a.io": {"auth": "bWU6c2VjcmV0"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	none := filepath.Join(dir, "none.json")
	for _, test := range []struct {
		hints Hints
		host  string
		want  string
	}{
		{Hints{}, "a.io", "a.io rejected the stored credentials"},
		{Hints{}, "b.io", `log in with "oras login b.io"`},
		{Hints{CredentialFiles: []string{none}}, "a.io", `log in with "oras login a.io"`},
		{Hints{CredentialFlags: true}, "a.io", "a.io rejected the credentials from the command line"},
	} {
		got := test.hints.Of(answer(test.host+"/app:v1", http.StatusUnauthorized))
		if !strings.HasPrefix(got, test.want) {
			t.Errorf("%+v at %s: got %q, want %q", test.hints, test.host, got, test.want)
		}
	}
}
