package transport

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func entry(key, user string) string {
	return `"` + key + `":{"username":"` + user + `","password":"p"}`
}

func auths(entries ...string) string {
	return `{"auths":{` + strings.Join(entries, ",") + `}}`
}

func TestMalformedCredentials(t *testing.T) {
	path := credentialsFile(t, `{"auths":`)
	o := testOptions{Options: Options{CredentialFiles: []string{path}}}
	_, err := newRegistries(o).Repository("r.example", "test/repo")
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
	t.Setenv("DOCKER_CONFIG", filepath.Dir(path))
	if _, err = newRegistries(testOptions{}).Repository("r.example", "test/repo"); err != nil {
		t.Errorf("a public image needs no credentials: %v", err)
	}
}

func TestAccountsOfNamespaces(t *testing.T) {
	o := testOptions{Options: Options{CredentialFiles: []string{credentialsFile(t, auths(entry("r.example/team", "me")))}}}
	client := newRegistries(o)
	a, b := open(t, client, "r.example", "team/a"), open(t, client, "r.example", "team/b")
	other := open(t, client, "r.example", "other/c")
	equal(t, "one account in a namespace", a.account == b.account, true)
	equal(t, "and another outside", a.account == other.account, false)
}

// TestHelperRunsOnce for all requests to a registry.
func TestHelperRunsOnce(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a script is no program there")
	}
	dir := t.TempDir()
	script := "#!/bin/sh\nread address\n" +
		`echo "{\"ServerURL\":\"x\",\"Username\":\"<token>\",\"Secret\":\"for $address\"}"` + "\necho ran >>" + filepath.Join(dir, "ran") + "\n"
	noError(t, os.WriteFile(filepath.Join(dir, "docker-credential-mine"), []byte(script), 0o700))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	o := testOptions{Options: Options{CredentialFiles: []string{credentialsFile(t, `{"credHelpers":{"one.example":"mine"}}`)}}}
	r := open(t, newRegistries(o), "one.example", "test/repo")
	for range 3 {
		c, err := r.account.client.Credential(t.Context(), "one.example")
		noError(t, err)
		equal(t, "token", c.RefreshToken, "for one.example")
	}
	ran, err := os.ReadFile(filepath.Join(dir, "ran"))
	noError(t, err)
	equal(t, "times the helper ran", strings.Count(string(ran), "ran"), 1)
}
