package transport

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"oras.land/oras-go/v2/registry/remote/auth"
)

func TestCredentialsStayWithTheRegistry(t *testing.T) {
	data := randomBytes(1000)
	var seen []http.Header
	store := serve(t, func(w http.ResponseWriter, req *http.Request) {
		seen = append(seen, req.Header)
		w.Write(data)
	})
	reg := startTokens(t, func(w http.ResponseWriter, req *http.Request) {
		equal(t, "own header at the registry", req.Header.Get("X-Key"), "mine")
		http.Redirect(w, req, "http://"+store+"/blob?X-Amz-Signature=topsecret", http.StatusTemporaryRedirect)
	})
	o := newClock().options(t)
	o.Settings = func(string) (Settings, error) {
		return Settings{Header: http.Header{"x-key": {"mine"}}, Credential: &auth.Credential{Username: "me", Password: "hidden"}}, nil
	}
	var lines []string
	o.Debug = func(format string, a ...any) { lines = append(lines, fmt.Sprintf(format, a...)) }
	o.UserAgent = "test/1"
	r := open(t, newRegistries(o), reg.host, "test/repo")
	body, err := r.FetchBlob(t.Context(), describeBytes(data), 0, 1000)
	noError(t, err)
	_, err = io.ReadAll(body)
	noError(t, err)
	body.Close()
	equal(t, "requests at the store", len(seen), 1)
	equal(t, "authorization at the store", seen[0].Get("Authorization"), "")
	equal(t, "own header at the store", seen[0].Get("X-Key"), "")
	equal(t, "user agent at the store", seen[0].Get("User-Agent"), "test/1")
	equal(t, "lines", len(lines), 4)
	for _, secret := range []string{"topsecret", "token1", "hidden", "mine"} {
		if i := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, secret) }); i >= 0 {
			t.Errorf("a secret in %q", lines[i])
		}
	}
}

// TestRegistryThatQuotesSecrets: a registry may say what it was sent, and point to what
// is no URL but signed.
func TestRegistryThatQuotesSecrets(t *testing.T) {
	reg := startTokens(t, func(w http.ResponseWriter, req *http.Request) {
		switch {
		case strings.HasSuffix(req.URL.Path, "/moved"):
			w.Header().Set("Location", "http://store.example/%zz?sig=topsecret")
			w.WriteHeader(http.StatusFound)
		case strings.HasSuffix(req.URL.Path, "/uploads/"):
			w.Header().Set("Location", "http://store.example/%zz?sig=topsecret")
			w.WriteHeader(http.StatusAccepted)
		case strings.HasSuffix(req.URL.Path, "/tags/list"):
			w.Header().Set("Link", "http://store.example/?sig=topsecret")
			w.Write([]byte("{}"))
		default:
			giveError(w, http.StatusForbidden, "DENIED", "not with "+req.Header.Get("Authorization"))
		}
	})
	o := newClock().options(t)
	o.CredentialFiles = []string{credentialsFile(t, `{"auths":{"`+reg.host+`":{"auth":"bWU6aGlkZGVu"}}}`)}
	var reported []string
	o.Secret = func(username, secret string) { reported = append(reported, username+":"+secret) }
	r := open(t, newRegistries(o), reg.host, "test/repo")
	opened := 0
	_, _, denied := r.FetchManifest(t.Context(), "v1")
	_, moved := r.Resolve(t.Context(), "moved")
	for name, err := range map[string]error{"quoted": denied, "moved": moved,
		"upload": r.PushBlob(t.Context(), subject, opener(imageManifest, &opened)),
		"tags":   r.Tags(t.Context(), func([]string) error { return nil }),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		for ; err != nil; err = errors.Unwrap(err) {
			if strings.Contains(err.Error(), "topsecret") || strings.Contains(err.Error(), "token1") {
				t.Errorf("%s: a secret in %q", name, err)
			}
		}
	}
	equal(t, "secrets that were told", fmt.Sprint(reported), "[me:hidden]")
}

func TestSecretsOfARedirectStayOutOfErrors(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"answer": func(w http.ResponseWriter, req *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"fault":  func(w http.ResponseWriter, req *http.Request) { breakOff() },
	} {
		t.Run(name, func(t *testing.T) {
			store := serve(t, h)
			r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
				http.Redirect(w, req, "http://"+store+"/blob?sig=topsecret", http.StatusTemporaryRedirect)
			})
			_, err := r.FetchBlob(t.Context(), subject, 0, subject.Size)
			if err == nil {
				t.Fatal("no error")
			}
			for ; err != nil; err = errors.Unwrap(err) {
				if strings.Contains(err.Error(), "topsecret") {
					t.Errorf("a secret in %q", err)
				}
			}
		})
	}
}
