package serve

import (
	"encoding/base64"
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// htpasswd writes a file of users with the password "right".
func htpasswd(t *testing.T, w *world, lines ...string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("right"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(strings.Join(lines, "\n"), "HASH", string(hash))
	path := w.path("users")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func basic(user, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func TestLogin(t *testing.T) {
	w, path := withLarge(t, "bundle.tgz")
	s := w.serve("bundle.tgz")
	var err error
	if s.Login, err = ReadPasswords(htpasswd(t, w, "# users", "", "ann:HASH", "bob:HASH")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/v2/", path, "/v2/team/app/manifests/v1", "/v2/_catalog", "/v2/nowhere/tags/list", "/"} {
		for _, headers := range [][]string{nil, {basic("ann", "wrong")}, {basic("eve", "right")}, {basic("", "")}, {"Authorization: Basic ???"}, {"Authorization: Bearer right"}} {
			a := s.get(path, headers...).is(t, path, 401, "UNAUTHORIZED")
			if !strings.HasPrefix(a.header.Get("WWW-Authenticate"), `Basic realm="`) {
				t.Error(a.header)
			}
		}
	}
	for range 2 { // hashed, then remembered
		for _, user := range []string{"ann", "bob"} {
			if a := s.get("/v2/", basic(user, "right")); a.status != 200 {
				t.Errorf("%s: %d", user, a.status)
			}
			s.get("/v2/", basic(user, "wrong")).is(t, user, 401, "UNAUTHORIZED")
		}
	}
}

func TestPasswordFiles(t *testing.T) {
	w := newWorld(t)
	for text, want := range map[string]string{
		"ann:HASH\nbob:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=": `:2: the password of "bob" is not hashed with bcrypt`,
		"ann:$apr1$x$y":      `:1: the password of "ann" is not hashed with bcrypt`,
		"ann:plain":          `:1: the password of "ann" is not hashed with bcrypt`,
		"\n\nann":            ":3: not USER:HASH",
		":HASH":              ":1: not USER:HASH",
		"ann:HASH\nann:HASH": `:2: the user "ann" is there twice`,
		"# none":             ": has no users",
	} {
		_, err := ReadPasswords(htpasswd(t, w, text))
		var invalid *PasswordFileError
		if !errors.As(err, &invalid) || err.Error() != w.path("users")+want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if _, err := ReadPasswords(w.path("none")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
