package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"strings"

	"oras.land/oras-go/v2/registry/remote/auth"
)

// HelperError says that a credential helper failed. What it printed is not part of it:
// that may be the secret.
type HelperError struct {
	Helper  string // docker-credential-NAME
	Address string // of the registry, as the helper was asked for it
	Err     error
}

func (e *HelperError) Error() string { return e.Helper + ": " + e.Err.Error() }

func (e *HelperError) Unwrap() error { return e.Err }

// What a helper answers that has nothing for a registry, and what stands in the place of
// the user name of an identity token
// (github.com/docker/docker-credential-helpers, credentials/error.go).
const (
	helperNotFound  = "credentials not found in native keychain"
	helperTokenUser = "<token>"
)

var errHelperAnswer = errors.New("its answer is no credential in JSON")

// runHelper asks a helper for the credential of an address. Neither of its outputs reaches
// our own.
func runHelper(ctx context.Context, helper, address string) (auth.Credential, error) {
	name := "docker-credential-" + helper
	cmd := exec.CommandContext(ctx, name, "get")
	cmd.Stdin = strings.NewReader(address)
	output, err := cmd.Output()
	if err != nil {
		if string(bytes.TrimSpace(output)) == helperNotFound {
			return auth.EmptyCredential, nil
		}
		return auth.EmptyCredential, &HelperError{name, address, err}
	}
	var answer struct{ Username, Secret string }
	if json.Unmarshal(output, &answer) != nil {
		return auth.EmptyCredential, &HelperError{name, address, errHelperAnswer}
	}
	if answer.Username == helperTokenUser {
		return auth.Credential{RefreshToken: answer.Secret}, nil
	}
	return auth.Credential{Username: answer.Username, Password: answer.Secret}, nil
}
