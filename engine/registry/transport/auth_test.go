package transport

import (
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"oras.land/oras-go/v2/registry/remote/auth"
)

func TestCredentialFromFlags(t *testing.T) {
	reg := startTokens(t, manifests)
	o := newClock().options(t)
	o.Settings = func(string) (Settings, error) {
		return Settings{Credential: &auth.Credential{Username: "me", Password: "secret"}}, nil
	}
	_, err := open(t, newRegistries(o), reg.host, "test/repo").Resolve(t.Context(), "v1")
	noError(t, err)
	equal(t, "users", fmt.Sprint(reg.users), "[me:secret]")
}

func TestBasicAuthentication(t *testing.T) {
	host := serve(t, func(w http.ResponseWriter, req *http.Request) {
		if user, password, _ := req.BasicAuth(); user == "me" && password == "secret" {
			giveManifest(w, req, imageManifest)
			return
		}
		w.Header().Set("Www-Authenticate", `Basic realm="x"`)
		w.WriteHeader(http.StatusUnauthorized)
	})
	o := newClock().options(t)
	o.CredentialFiles = []string{credentialsFile(t, `{"auths":{"`+host+`":{"auth":"bWU6c2VjcmV0"}}}`)}
	client := newRegistries(o)
	r := open(t, client, host, "test/repo")
	for range 3 {
		_, err := r.Resolve(t.Context(), "v1")
		noError(t, err)
	}
	equal(t, "requests", client.Stats()["HEAD manifest"], 4)
	_, err := open(t, newRegistries(newClock().options(t)), host, "test/repo").Resolve(t.Context(), "v1")
	if !errors.Is(err, auth.ErrBasicCredentialNotFound) {
		t.Errorf("got %v", err)
	}
}

// TestMissingHelper needs the credentials of a helper that is not installed:
// not for what is public, and it is the reason where it is not.
func TestMissingHelper(t *testing.T) {
	reg := startTokens(t, manifests)
	o := newClock().options(t)
	o.CredentialFiles = []string{credentialsFile(t, `{"credsStore":"not-installed-anywhere"}`)}
	r := open(t, newRegistries(o), reg.host, "test/repo")
	_, err := r.Resolve(t.Context(), "public")
	noError(t, err)
	reg.next = func(w http.ResponseWriter, req *http.Request) { w.WriteHeader(http.StatusUnauthorized) }
	_, err = r.Resolve(t.Context(), "private")
	var helper *CredentialError
	if !errors.As(err, &helper) || !errors.Is(err, exec.ErrNotFound) || Status(err) != 401 {
		t.Fatalf("got %v", err)
	}
	if !strings.Contains(err.Error(), "docker-credential-not-installed-anywhere") {
		t.Errorf("error reads %q", err)
	}
}
