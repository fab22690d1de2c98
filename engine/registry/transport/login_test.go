package transport

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"oras.land/oras-go/v2/registry/remote/auth"
)

// guarded is a registry that counts the passwords it is shown, at its token service or by
// each request.
type guarded struct {
	*tokenRegistry
	basic bool

	mu       sync.Mutex // guards what follows
	password string
	shown    int
	refused  int
	status   int // of a refusal
}

func startGuarded(t *testing.T, basic bool, password string) *guarded {
	g := &guarded{basic: basic, password: password, status: http.StatusUnauthorized}
	g.tokenRegistry = startTokens(t, func(w http.ResponseWriter, req *http.Request) {
		if g.basic && !g.admits(req) {
			w.Header().Set("Www-Authenticate", `Basic realm="test"`)
			giveError(w, g.status, "UNAUTHORIZED", "wrong password")
			return
		}
		manifests(w, req)
	})
	g.open = basic
	g.onToken = func(w http.ResponseWriter, req *http.Request) bool {
		if g.admits(req) {
			return false
		}
		giveError(w, g.status, "UNAUTHORIZED", "wrong password")
		return true
	}
	return g
}

func (g *guarded) admits(req *http.Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, password, ok := req.BasicAuth()
	if !ok {
		return false
	}
	g.shown++
	if password != g.password {
		g.refused++
		return false
	}
	return true
}

func (g *guarded) set(password string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.password = password
}

func (g *guarded) refusals() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refused
}

func withPassword(host, password string) string {
	return fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, base64.StdEncoding.EncodeToString([]byte("me:"+password)))
}

// bothWays runs a test with a token service, and with a password in each request.
func bothWays(t *testing.T, test func(t *testing.T, basic bool)) {
	t.Run("token service", func(t *testing.T) { test(t, false) })
	t.Run("password", func(t *testing.T) { test(t, true) })
}

// TestWrongPasswordIsShownTwiceAtMost asks for many artifacts at once, of several
// repositories.
func TestWrongPasswordIsShownTwiceAtMost(t *testing.T) {
	bothWays(t, func(t *testing.T, basic bool) {
		g := startGuarded(t, basic, "right")
		o := newClock().options(t)
		o.CredentialFiles = []string{credentialsFile(t, withPassword(g.host, "wrong"))}
		client := newRegistries(o)
		var all sync.WaitGroup
		for i := range 40 {
			r := open(t, client, g.host, fmt.Sprintf("test/repo%d", i%8))
			all.Go(func() {
				_, err := r.Resolve(t.Context(), "v1")
				var login *LoginError
				if !errors.As(err, &login) || Status(err) != http.StatusUnauthorized {
					t.Errorf("got %v", err)
				} else if !strings.HasPrefix(login.Error(), g.host+" rejected the login: 401 unauthorized") || !strings.Contains(err.Error(), ":v1: resolve: 401 unauthorized") {
					t.Errorf("error reads %q", err)
				}
			})
		}
		all.Wait()
		if n := g.refusals(); n > 2 {
			t.Errorf("the password was refused %d times", n)
		}
	})
}

// TestPasswordFromFlagsIsShownTwiceAtMost has no stores to reload.
func TestPasswordFromFlagsIsShownTwiceAtMost(t *testing.T) {
	bothWays(t, func(t *testing.T, basic bool) {
		g := startGuarded(t, basic, "right")
		o := newClock().options(t)
		o.Settings = func(string) (Settings, error) {
			return Settings{Credential: &auth.Credential{Username: "me", Password: "wrong"}}, nil
		}
		client := newRegistries(o)
		for i := range 5 {
			_, err := open(t, client, g.host, fmt.Sprintf("test/repo%d", i)).Resolve(t.Context(), "v1")
			equal(t, "login refused", isType[*LoginError](err), true)
		}
		equal(t, "refusals", g.refusals(), 1)
	})
}

// TestPasswordThatChangesIsReadAgain changes the password at the registry and in the file,
// again and again.
func TestPasswordThatChangesIsReadAgain(t *testing.T) {
	bothWays(t, func(t *testing.T, basic bool) {
		g := startGuarded(t, basic, "")
		path := credentialsFile(t, "")
		o := newClock().options(t)
		o.CredentialFiles = []string{path}
		client := newRegistries(o)
		for i := range 5 {
			password := fmt.Sprintf("password%d", i)
			g.set(password)
			noError(t, os.WriteFile(path, []byte(withPassword(g.host, password)), 0o600))
			for n := range 3 {
				_, err := open(t, client, g.host, fmt.Sprintf("test/repo%d", 10*i+n)).Resolve(t.Context(), "v1")
				noError(t, err)
			}
			equal(t, "refusals", g.refusals(), i)
		}
	})
}

// TestAcceptedPasswordHasASecondTry: a registry of several nodes may know a new password
// on one of them first.
func TestAcceptedPasswordHasASecondTry(t *testing.T) {
	bothWays(t, func(t *testing.T, basic bool) {
		g := startGuarded(t, basic, "right")
		o := newClock().options(t)
		o.CredentialFiles = []string{credentialsFile(t, withPassword(g.host, "right"))}
		client := newRegistries(o)
		_, err := open(t, client, g.host, "test/a").Resolve(t.Context(), "v1")
		noError(t, err)
		g.set("another")
		_, err = open(t, client, g.host, "test/b").Resolve(t.Context(), "v1")
		equal(t, "login refused", isType[*LoginError](err), true)
		_, err = open(t, client, g.host, "test/c").Resolve(t.Context(), "v1")
		equal(t, "login refused", isType[*LoginError](err), true)
		equal(t, "refusals", g.refusals(), 2)
	})
}

// helperScript installs docker-credential-turning and returns where it counts its calls.
func helperScript(t *testing.T, secret string) (calls string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("a script is no program there")
	}
	dir := t.TempDir()
	calls = filepath.Join(dir, "calls")
	script := fmt.Sprintf("#!/bin/sh\necho call >>%s\nn=$(wc -l <%s)\necho '{\"Username\":\"me\",\"Secret\":\"'%s'\"}'\n", calls, calls, secret)
	noError(t, os.WriteFile(filepath.Join(dir, "docker-credential-turning"), []byte(script), 0o700))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return calls
}

func linesIn(t *testing.T, path string) int {
	t.Helper()
	data, err := os.ReadFile(path)
	noError(t, err)
	return strings.Count(string(data), "\n")
}

// TestHelperIsCalledAgainAfterARejection has a helper whose secrets last for one login.
func TestHelperIsCalledAgainAfterARejection(t *testing.T) {
	bothWays(t, func(t *testing.T, basic bool) {
		g := startGuarded(t, basic, "secret-1")
		calls := helperScript(t, `secret-$((n))`)
		o := newClock().options(t)
		o.CredentialFiles = []string{credentialsFile(t, `{"credsStore":"turning"}`)}
		client := newRegistries(o)
		for i := 1; i <= 4; i++ {
			g.set(fmt.Sprintf("secret-%d", i))
			_, err := open(t, client, g.host, fmt.Sprintf("test/repo%d", i)).Resolve(t.Context(), "v1")
			noError(t, err)
			equal(t, "calls of the helper", linesIn(t, calls), i)
		}
		equal(t, "refusals", g.refusals(), 3)
	})
}

// TestWrongHelperIsCalledTwice returns another wrong secret each time.
func TestWrongHelperIsCalledTwice(t *testing.T) {
	bothWays(t, func(t *testing.T, basic bool) {
		g := startGuarded(t, basic, "right")
		helperScript(t, `wrong-$((n))`)
		o := newClock().options(t)
		o.CredentialFiles = []string{credentialsFile(t, `{"credsStore":"turning"}`)}
		client := newRegistries(o)
		for i := range 5 {
			_, err := open(t, client, g.host, fmt.Sprintf("test/repo%d", i)).Resolve(t.Context(), "v1")
			equal(t, "login refused", isType[*LoginError](err), true)
		}
		equal(t, "refusals", g.refusals(), 2)
	})
}

// TestCredentialThatComesLate is not there when the run begins.
func TestCredentialThatComesLate(t *testing.T) {
	bothWays(t, func(t *testing.T, basic bool) {
		g := startGuarded(t, basic, "right")
		path := credentialsFile(t, "{}")
		o := newClock().options(t)
		o.CredentialFiles = []string{path}
		r := open(t, newRegistries(o), g.host, "test/repo")
		noError(t, os.WriteFile(path, []byte(withPassword(g.host, "right")), 0o600))
		_, err := r.Resolve(t.Context(), "v1")
		noError(t, err)
	})
}

// TestDeniedTokenIsAskedForOnce: a token service that refuses one repository with 403 is
// asked for the next one.
func TestDeniedTokenIsAskedForOnce(t *testing.T) {
	g := startGuarded(t, false, "right")
	giveAll := g.onToken
	asked := 0
	g.onToken = func(w http.ResponseWriter, req *http.Request) bool {
		if strings.Contains(req.URL.Query().Get("scope"), "private") {
			asked++
			giveError(w, http.StatusForbidden, "DENIED", "not yours")
			return true
		}
		return giveAll(w, req)
	}
	o := newClock().options(t)
	o.CredentialFiles = []string{credentialsFile(t, withPassword(g.host, "right"))}
	client := newRegistries(o)
	for range 3 {
		_, err := open(t, client, g.host, "test/private").Resolve(t.Context(), "v1")
		equal(t, "status", Status(err), http.StatusForbidden)
		_, err = open(t, client, g.host, "test/public").Resolve(t.Context(), "v1")
		noError(t, err)
	}
	equal(t, "times the token was asked for", asked, 1)
}
