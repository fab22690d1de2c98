package transport

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"oras.land/oras-go/v2/registry/remote/auth"
)

// signpost is a registry that has no content and redirects every request.
func signpost(t *testing.T, to *string) string {
	return serve(t, func(w http.ResponseWriter, req *http.Request) {
		http.Redirect(w, req, "http://"+*to+strings.Replace(req.URL.Path, "/test/", "/mirrors/test/", 1), http.StatusTemporaryRedirect)
	})
}

// TestRedirectToARegistryThatWantsAnAnonymousToken gets one, for each repository,
// and shows it from then on. Our own credential does not go there.
func TestRedirectToARegistryThatWantsAnAnonymousToken(t *testing.T) {
	data := randomBytes(1000)
	store := serve(t, func(w http.ResponseWriter, req *http.Request) {
		equal(t, "authorization at the store", req.Header.Get("Authorization"), "")
		w.Write(data)
	})
	there := startTokens(t, func(w http.ResponseWriter, req *http.Request) {
		if strings.Contains(req.URL.Path, "/blobs/") {
			http.Redirect(w, req, "http://"+store+"/blob", http.StatusTemporaryRedirect)
			return
		}
		giveManifest(w, req, imageManifest)
	})
	o := newClock().options(t)
	o.Settings = func(string) (Settings, error) {
		return Settings{Credential: &auth.Credential{Username: "me", Password: "secret"}, Header: http.Header{"X-Key": {"mine"}}}, nil
	}
	client := newRegistries(o)
	host := signpost(t, &there.host)
	r := open(t, client, host, "test/repo")
	for range 3 {
		_, _, err := r.FetchManifest(t.Context(), "v1")
		noError(t, err)
	}
	got, err := fetch(t.Context(), r, data, 0, 1000)
	noError(t, err)
	equal(t, "same bytes", bytes.Equal(got, data), true)
	_, err = r.Resolve(t.Context(), "v1")
	noError(t, err)
	equal(t, "tokens", fmt.Sprint(there.users, there.scopes), "[:] [repository:mirrors/test/repo:pull]")
	equal(t, "challenges", client.Stats()["challenges"], 1)
	_, err = open(t, client, host, "test/other").Resolve(t.Context(), "v1")
	noError(t, err)
	equal(t, "tokens", len(there.scopes), 2)
}

// TestTokensOfAnotherRegistryThatExpire are renewed, once for all requests.
func TestTokensOfAnotherRegistryThatExpire(t *testing.T) {
	there := startTokens(t, manifests)
	there.lifetime = 3
	client := newRegistries(newClock().options(t))
	r := open(t, client, signpost(t, &there.host), "test/repo")
	for range 9 {
		_, _, err := r.FetchManifest(t.Context(), "v1")
		noError(t, err)
	}
	equal(t, "tokens", there.issued, 3)
	there.lifetime = 0
	there.mu.Lock()
	clear(there.left)
	there.mu.Unlock()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, _, err := r.FetchManifest(t.Context(), "v1"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	equal(t, "places held", len(client.slots), 0)
}

// TestRedirectToARegistryThatDeniesAccess is an error at once, and shows no secret.
func TestRedirectToARegistryThatDeniesAccess(t *testing.T) {
	for name, test := range map[string]struct {
		challenge string
		check     func(err error) bool
	}{
		"none":         {"", func(err error) bool { return Status(err) == http.StatusUnauthorized }},
		"a password":   {`Basic realm="x"`, func(err error) bool { return errors.Is(err, auth.ErrBasicCredentialNotFound) }},
		"no realm":     {`Bearer service="x"`, func(err error) bool { return isType[*ChallengeError](err) }},
		"refused":      {`Bearer realm="REALM/refused"`, func(err error) bool { return err != nil }},
		"no use":       {`Bearer realm="REALM/token"`, func(err error) bool { return Status(err) == http.StatusUnauthorized }},
		"another here": {`Bearer realm="ftp://x/"`, func(err error) bool { return err != nil }},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			var there string
			there = serve(t, func(w http.ResponseWriter, req *http.Request) {
				n++
				switch req.URL.Path {
				case "/token":
					fmt.Fprint(w, `{"token":"hidden"}`)
				case "/refused":
					giveError(w, http.StatusForbidden, "DENIED", "no")
				default:
					w.Header().Set("Www-Authenticate", strings.Replace(test.challenge, "REALM", "http://"+there, 1))
					giveError(w, http.StatusUnauthorized, "UNAUTHORIZED", "not with "+req.Header.Get("Authorization"))
				}
			})
			r, c := repository(t, func(w http.ResponseWriter, req *http.Request) {
				http.Redirect(w, req, "http://"+there+req.URL.Path+"?sig=topsecret", http.StatusTemporaryRedirect)
			})
			_, _, err := r.FetchManifest(t.Context(), "v1")
			if !test.check(err) {
				t.Errorf("got %v", err)
			}
			equal(t, "pauses", len(c.Sleeps()), 0)
			equal(t, "requests there, at most", n <= 3, true)
			for ; err != nil; err = errors.Unwrap(err) {
				if strings.Contains(err.Error(), "topsecret") || strings.Contains(err.Error(), "hidden") {
					t.Errorf("a secret in %q", err)
				}
			}
		})
	}
}

// TestOtherRegistryThatRefusesUsSaysNothingOfOurPassword: a registry that took it and
// sent us on is asked again.
func TestOtherRegistryThatRefusesUsSaysNothingOfOurPassword(t *testing.T) {
	there := serve(t, func(w http.ResponseWriter, req *http.Request) {
		giveError(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
	})
	o := newClock().options(t)
	o.Settings = func(string) (Settings, error) {
		return Settings{Credential: &auth.Credential{Username: "me", Password: "secret"}}, nil
	}
	client := newRegistries(o)
	r := open(t, client, serve(t, func(w http.ResponseWriter, req *http.Request) {
		switch user, _, _ := req.BasicAuth(); {
		case user != "me":
			w.Header().Set("Www-Authenticate", `Basic realm="x"`)
			giveError(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
		case strings.HasSuffix(req.URL.Path, "/own"):
			giveManifest(w, req, imageManifest)
		default:
			http.Redirect(w, req, "http://"+there+req.URL.Path, http.StatusTemporaryRedirect)
		}
	}), "test/repo")
	for range 4 {
		if _, _, err := r.FetchManifest(t.Context(), "elsewhere"); Status(err) != http.StatusUnauthorized || !strings.Contains(err.Error(), there) {
			t.Errorf("got %v", err)
		}
	}
	_, _, err := r.FetchManifest(t.Context(), "own")
	noError(t, err)
	equal(t, "places held", len(client.slots), 0)
}

func TestUpgradeOfTheRegistryIsNoOtherRegistry(t *testing.T) {
	for to, want := range map[string]bool{
		"http://r.example/v2/a/manifests/v1": false, "https://r.example/v2/a/manifests/v1": false,
		"https://s.example/v2/a/manifests/v1": true, "https://s.example/store?sig=x": false,
	} {
		g := newGuests(&url.URL{Scheme: "http", Host: "r.example"}, time.Now, nil)
		req, err := http.NewRequest(http.MethodGet, to, nil)
		noError(t, err)
		equal(t, "asked directly", g.handles(req), false)
		req.Response = new(http.Response)
		equal(t, to, g.handles(req), want)
	}
}
