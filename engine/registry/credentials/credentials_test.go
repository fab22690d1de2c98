package credentials

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"oras.land/oras-go/v2/registry/remote/auth"
)

func credentialsFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.json")
	noError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// user returns whose credential a repository gets from some files.
func user(t *testing.T, s *Stores, host, repository string) string {
	t.Helper()
	noError(t, s.Load())
	c, err := s.Credential(t.Context(), host, repository)
	noError(t, err)
	return c.Username
}

func entry(key, user string) string {
	return `"` + key + `":{"username":"` + user + `","password":"p"}`
}

func auths(entries ...string) string {
	return `{"auths":{` + strings.Join(entries, ",") + `}}`
}

func TestKeysOfCredentials(t *testing.T) {
	for name, test := range map[string]struct{ content, host, want string }{
		"registry":                   {auths(entry("r.example", "me")), "r.example", "me"},
		"with a port":                {auths(entry("r.example:5000", "me")), "r.example:5000", "me"},
		"another":                    {auths(entry("q.example", "me")), "r.example", ""},
		"old form":                   {auths(entry("https://r.example/v1/", "me")), "r.example", "me"},
		"old form with http":         {auths(entry("http://r.example", "me")), "r.example", "me"},
		"docker hub":                 {auths(entry("https://index.docker.io/v1/", "me")), "registry-1.docker.io", "me"},
		"docker hub by its registry": {auths(entry("registry-1.docker.io", "me")), "registry-1.docker.io", "me"},
		"docker hub by its pages":    {auths(entry("https://registry.hub.docker.com/v2/", "me")), "registry-1.docker.io", "me"},
		"docker hub, a repository":   {auths(entry("index.docker.io/test", "me")), "registry-1.docker.io", "me"},
		"docker hub of podman":       {auths(entry("docker.io", "me")), "registry-1.docker.io", "me"},
		"namespace":                  {auths(entry("r.example/test", "me")), "r.example", "me"},
		"repository":                 {auths(entry("r.example/test/repo", "me")), "r.example", "me"},
		"another namespace":          {auths(entry("r.example/other", "you"), entry("r.example", "me")), "r.example", "me"},
		"only another":               {auths(entry("r.example/other", "you")), "r.example", ""},
		"half a name":                {auths(entry("r.example/te", "you")), "r.example", ""},
		"the longest":                {auths(entry("r.example", "a"), entry("r.example/test/repo", "c"), entry("r.example/test", "b")), "r.example", "c"},
		"empty file":                 {"", "r.example", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Stores{Files: []string{credentialsFile(t, test.content)}}
			equal(t, "user", user(t, s, test.host, "test/repo"), test.want)
		})
	}
}

func TestFilesAreAskedInTheirOrder(t *testing.T) {
	s := &Stores{Files: []string{
		credentialsFile(t, auths(entry("one.example", "first"))),
		credentialsFile(t, auths(entry("one.example", "second"), entry("two.example", "second"))),
	}}
	equal(t, "user", user(t, s, "one.example", "x"), "first")
	equal(t, "user", user(t, s, "two.example", "x"), "second")
}

func TestUsualFiles(t *testing.T) {
	docker, podman, home := t.TempDir(), t.TempDir(), t.TempDir()
	write := func(path, content string) {
		t.Helper()
		noError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		noError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	t.Setenv("HOME", home)
	t.Setenv("DOCKER_CONFIG", docker)
	t.Setenv("REGISTRY_AUTH_FILE", "")
	t.Setenv("XDG_RUNTIME_DIR", podman)
	t.Setenv("XDG_CONFIG_HOME", "")
	write(filepath.Join(docker, "config.json"), auths(entry("one.example", "docker")))
	write(filepath.Join(home, ".config", "containers", "auth.json"), auths(entry("one.example", "config"), entry("two.example", "config")))
	if runtime.GOOS == "linux" {
		write(filepath.Join(podman, "containers", "auth.json"), auths(entry("three.example", "podman")))
		equal(t, "user", user(t, &Stores{}, "three.example", "x"), "podman")
	}
	equal(t, "user", user(t, &Stores{}, "one.example", "x"), "docker")
	equal(t, "user", user(t, &Stores{}, "two.example", "x"), "config")
	t.Setenv("REGISTRY_AUTH_FILE", credentialsFile(t, auths(entry("four.example", "named"))))
	equal(t, "user", user(t, &Stores{}, "four.example", "x"), "named")
	equal(t, "user", user(t, &Stores{}, "two.example", "x"), "")
}

// TestHelpers runs a helper of its own, by way of a script.
func TestHelpers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a script is no program there")
	}
	dir := t.TempDir()
	script := "#!/bin/sh\nread address\nif [ \"$address\" = gone.example ] || [ \"$address\" = https://index.docker.io/v1/ ] || [ \"$address\" = docker.io ]; then echo credentials not found in native keychain; exit 1; fi\n" +
		`echo "{\"ServerURL\":\"x\",\"Username\":\"<token>\",\"Secret\":\"for $address\"}"` + "\necho ran >>" + filepath.Join(dir, "ran") + "\n"
	noError(t, os.WriteFile(filepath.Join(dir, "docker-credential-mine"), []byte(script), 0o700))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	s := &Stores{Files: []string{credentialsFile(t, `{"credHelpers":{"one.example":"mine"},"auths":{`+entry("two.example", "me")+`}}`),
		credentialsFile(t, `{"credsStore":"mine"}`)}}
	noError(t, s.Load())
	for host, want := range map[string]auth.Credential{
		"one.example":          {RefreshToken: "for one.example"},
		"two.example":          {Username: "me", Password: "p"},
		"gone.example":         {},
		"registry-1.docker.io": {RefreshToken: "for index.docker.io"}, // the third name that is asked for
	} {
		got, err := s.Credential(t.Context(), host, "test/repo")
		noError(t, err)
		equal(t, host, got, want)
	}
}

// TestHelperThatFailsIsNotQuoted prints a secret and fails, in the ways there are.
func TestHelperThatFailsIsNotQuoted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a script is no program there")
	}
	const secret = "s3cr3t"
	dir := t.TempDir()
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	for name, script := range map[string]string{
		"status":  `echo '{"Username":"me","Secret":"s3cr3t"}'; echo s3cr3t >&2; exit 1`,
		"message": `echo "error getting credentials - s3cr3t"; exit 3`,
		"no-json": `echo s3cr3t`,
		"number":  `echo '{"Username":"me","Secret":1e999}'`,
		"killed":  `echo s3cr3t; kill -9 $$`,
	} {
		noError(t, os.WriteFile(filepath.Join(dir, "docker-credential-"+name), []byte("#!/bin/sh\n"+script+"\n"), 0o700))
		s := &Stores{Files: []string{credentialsFile(t, `{"credsStore":"`+name+`"}`)}}
		noError(t, s.Load())
		_, err := s.Credential(t.Context(), "r.example", "app")
		var helper *HelperError
		if !errors.As(err, &helper) || helper.Helper != "docker-credential-"+name || helper.Address != "r.example" {
			t.Errorf("%s: got %v", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "999")) {
			t.Errorf("%s: the error has the secret: %v", name, err)
		}
	}
}

// TestMalformedEntryIsNotQuoted has a credential that is base64 of something else.
func TestMalformedEntryIsNotQuoted(t *testing.T) {
	s := &Stores{Files: []string{credentialsFile(t, `{"auths":{"r.example":{"auth":"`+base64.StdEncoding.EncodeToString([]byte("s3cr3t"))+`"}}}`)}}
	noError(t, s.Load())
	_, err := s.Credential(t.Context(), "r.example", "app")
	if err == nil || strings.Contains(err.Error(), "s3cr3t") || !strings.Contains(err.Error(), s.Files[0]) {
		t.Errorf("got %v", err)
	}
}

// TestCredentialsOfTheEnvironment are asked before the files, but not if files are named.
func TestCredentialsOfTheEnvironment(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", filepath.Dir(credentialsFile(t, auths(entry("one.example", "file"), entry("two.example", "file")))))
	t.Setenv("DOCKER_AUTH_CONFIG", auths(entry("one.example", "environment")))
	equal(t, "user", user(t, &Stores{}, "one.example", "x"), "environment")
	equal(t, "user", user(t, &Stores{}, "two.example", "x"), "file")
	named := &Stores{Files: []string{credentialsFile(t, auths(entry("one.example", "named")))}}
	equal(t, "user", user(t, named, "one.example", "x"), "named")

	t.Setenv("DOCKER_AUTH_CONFIG", `{"auths": "s3cr3t"`)
	s := &Stores{}
	noError(t, s.Load())
	c, err := s.Credential(t.Context(), "two.example", "x")
	noError(t, err)
	equal(t, "user", c.Username, "file")
	_, err = s.Credential(t.Context(), "three.example", "x")
	if err == nil || !strings.Contains(err.Error(), "DOCKER_AUTH_CONFIG") || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("got %v", err)
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
