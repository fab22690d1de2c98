package credentials

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"time"

	"oras.land/oras-go/v2/registry/remote/auth"
)

// HelperError is the error of a credential helper. It does not quote the helper's
// output, which may be the secret.
type HelperError struct {
	Helper  string // docker-credential-NAME
	Address string // of the registry, as passed to the helper
	Err     error
}

func (e *HelperError) Error() string { return e.Helper + ": " + e.Err.Error() }

func (e *HelperError) Unwrap() error { return e.Err }

// The output of a helper that has no credential for a registry, and the user name that
// marks an identity token (github.com/docker/docker-credential-helpers,
// credentials/error.go).
const (
	helperNotFound  = "credentials not found in native keychain"
	helperTokenUser = "<token>"
)

var errHelperOutput = errors.New("invalid output: not a JSON credential")

// waitDelay is the time for which the output may stay open once a helper has ended: that of gcloud is
// a script whose program outlives it.
const waitDelay = time.Second

// runHelper asks a helper for the credential of an address. The output of the helper is
// never shown.
func runHelper(ctx context.Context, helper, address string) (auth.Credential, error) {
	name := "docker-credential-" + helper
	cmd := exec.CommandContext(ctx, name, "get")
	cmd.Stdin, cmd.WaitDelay = strings.NewReader(address), waitDelay
	output, err := cmd.Output()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // the helper has succeeded, and left an agent behind
	}
	if err != nil {
		if string(bytes.TrimSpace(output)) == helperNotFound {
			return auth.EmptyCredential, nil
		}
		return auth.EmptyCredential, &HelperError{name, address, err}
	}
	var answer struct{ Username, Secret string }
	if json.Unmarshal(output, &answer) != nil {
		return auth.EmptyCredential, &HelperError{name, address, errHelperOutput}
	}
	if answer.Username == helperTokenUser {
		return auth.Credential{RefreshToken: answer.Secret}, nil
	}
	return auth.Credential{Username: answer.Username, Password: answer.Secret}, nil
}
