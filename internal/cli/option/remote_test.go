package option

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/redact"
)

// settingsOf returns the settings of a registry for a command line.
func settingsOf(t *testing.T, spec *config.Spec, host string, args ...string) registry.Settings {
	t.Helper()
	var flags struct{ RunFlags }
	parser, err := kong.New(&flags)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		t.Fatal(err)
	}
	options, err := flags.options(spec, Session{Stdin: strings.NewReader("secret\r\n"), Secrets: new(redact.Secrets)}, []string{host})
	if err != nil {
		t.Fatal(err)
	}
	s, err := options.Settings(host)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFlagsWinOverTheSpec(t *testing.T) {
	dir := t.TempDir()
	spec, err := config.Parse(filepath.Join(dir, "mirror.yaml"), []byte(`
apiVersion: oras-mirror/v1alpha1
kind: Mirror
registries:
  - registry: a.io
    plainHTTP: true
    insecure: true
    caFile: ca.pem
    certFile: client.pem
    keyFile: client.key
    concurrency: 3
    requestsPerSecond: 7
    distributionSpec: v1.1-referrers-tag
`))
	if err != nil {
		t.Fatal(err)
	}
	s := settingsOf(t, spec, "a.io")
	if s.PlainHTTP == nil || !*s.PlainHTTP || !s.Insecure || s.CAFile != filepath.Join(dir, "ca.pem") || s.KeyFile != filepath.Join(dir, "client.key") ||
		s.Concurrency != 3 || s.RequestsPerSecond != 7 || s.DistributionSpec != "v1.1-referrers-tag" || s.Credential != nil {
		t.Errorf("without flags: %+v", s)
	}
	s = settingsOf(t, spec, "a.io", "--plain-http=false", "--insecure=false", "--ca-file", "other.pem",
		"--cert-file", "c.pem", "--key-file", "k.pem", "--distribution-spec", "v1.1-referrers-api")
	if s.PlainHTTP == nil || *s.PlainHTTP || s.Insecure || s.CAFile != "other.pem" || s.CertFile != "c.pem" || s.KeyFile != "k.pem" ||
		s.Concurrency != 3 || s.DistributionSpec != "v1.1-referrers-api" {
		t.Errorf("with flags: %+v", s)
	}
	s = settingsOf(t, spec, "b.io", "--insecure", "--plain-http", "-H", "X-A: 1", "-H", "X-A:2",
		"--resolve", "b.io:443:10.0.0.7:8443", "--resolve", "c.io:443:[::1]", "-u", "me", "--password-stdin")
	if !s.Insecure || !*s.PlainHTTP || strings.Join(s.Header["X-A"], ",") != "1,2" ||
		s.Resolve["b.io:443"] != "10.0.0.7:8443" || s.Resolve["c.io:443"] != "[::1]" ||
		s.Credential == nil || s.Credential.Username != "me" || s.Credential.Password != "secret" {
		t.Errorf("not listed: %+v", s)
	}
	if s = settingsOf(t, nil, "b.io"); s.PlainHTTP != nil || s.Insecure || s.Credential != nil {
		t.Errorf("without anything: %+v", s)
	}
	if s = settingsOf(t, nil, "b.io", "--identity-token-stdin"); s.Credential.RefreshToken != "secret" || s.Credential.Password != "" {
		t.Errorf("identity token: %+v", s.Credential)
	}
	if s = settingsOf(t, nil, "b.io", "-p", "token"); s.Credential.RefreshToken != "token" {
		t.Errorf("password without a user name: %+v", s.Credential)
	}
}

func TestResolveRules(t *testing.T) {
	for rule, want := range map[string]string{
		"a.io:443:10.0.0.7":        "10.0.0.7",
		"a.io:443:10.0.0.7:8443":   "10.0.0.7:8443",
		"a.io:443:::1":             "::1",
		"a.io:443:[::1]":           "[::1]",
		"a.io:443:[::1]:8443":      "[::1]:8443",
		"a.io:443":                 "",
		"a.io:https:10.0.0.7":      "",
		"a.io:443:other.io":        "",
		"a.io:443:10.0.0.7:0":      "",
		"a.io:443:10.0.0.7:443:80": "",
		":443:10.0.0.7":            "",
	} {
		got, err := parseResolve([]string{rule})
		if want == "" && err == nil || want != "" && got["a.io:443"] != want {
			t.Errorf("%s: got %v, %v, want %q", rule, got, err, want)
		}
	}
}

func TestHeaders(t *testing.T) {
	for _, line := range []string{"", "X", ": v", "X Y: v", "X: a\r\nY: b", "X: \x00"} {
		if got, err := parseHeaders([]string{line}); err == nil {
			t.Errorf("%q: got %v", line, got)
		}
	}
}
