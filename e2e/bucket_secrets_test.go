package e2e

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

const (
	secretKey     = "the/secret+key=of-this-test"
	secretSession = "session-token/of+this-test=="
)

// signature matches the signature of a request, in a header or in a URL.
var signature = regexp.MustCompile(`(?i)signature=[0-9a-f]{16}`)

// TestNoSecretOfABucket has a store refuse requests in many ways, and quote what it got: no
// line of a command, no report and no event has a secret.
func TestNoSecretOfABucket(t *testing.T) {
	const signed = "http://127.0.0.1:1/backups/x?X-Amz-Credential=" + testbucket.AccessKey + "&X-Amz-Signature=00112233445566778899aabbccddeeff"
	always := func(f *testbucket.Fault) func(testbucket.Call) *testbucket.Fault {
		return func(testbucket.Call) *testbucket.Fault { return f }
	}
	for name, tt := range map[string]struct {
		fault     func(testbucket.Call) *testbucket.Fault
		endpoint  string
		says      string
		variables []string
	}{
		"a wrong key":       {nil, "", "hint: check AWS_ACCESS_KEY_ID", []string{"AWS_SESSION_TOKEN="}},
		"a wrong signature": {always(testbucket.Echo(http.StatusForbidden, "SignatureDoesNotMatch", "")), "", "SignatureDoesNotMatch", nil},
		"an expired token":  {always(testbucket.Echo(http.StatusForbidden, "ExpiredToken", "")), "", "hint: get new credentials", nil},
		"a refused bucket":  {always(testbucket.Echo(http.StatusForbidden, "AccessDenied", "")), "", "hint: the credentials need the permission", nil},
		"a wrong clock":     {always(testbucket.Echo(http.StatusForbidden, "RequestTimeTooSkewed", "")), "", "hint: correct the clock", nil},
		"another region":    {always(testbucket.Echo(http.StatusMovedPermanently, "PermanentRedirect", signed)), "", "hint:", nil},
		"a redirect":        {always(testbucket.Echo(http.StatusTemporaryRedirect, "TemporaryRedirect", signed)), "", "error:", nil},
		"503 and a refusal": {func(c testbucket.Call) *testbucket.Fault {
			if c.N == 1 {
				return testbucket.Echo(http.StatusServiceUnavailable, "SlowDown", "")
			}
			return testbucket.Echo(http.StatusForbidden, "AccessDenied", "")
		}, "", "AccessDenied", nil},
		"a secret in the endpoint": {nil, "https://" + testbucket.AccessKey + ":" + secretKey + "@127.0.0.1:1/", "invalid endpoint", nil},
		"a malformed endpoint":     {nil, "https://user:" + secretKey + "@[::1:%zz/", "invalid endpoint", nil},
	} {
		t.Run(name, func(t *testing.T) {
			server := testbucket.New(t)
			server.Inject(tt.fault)
			r := testregistry.New(t, testregistry.Options{})
			r.Image("app", "v1", []byte("layer"))
			commands := [][]string{
				{"backup", "--debug", "--report", "report.json", "-o", server.Path("layout/"), r.Host + "/app:v1"},
				{"backup", "--format", "json", "-o", server.Path("x.tgz"), r.Host + "/app:v1"},
				{"verify", "--input", server.Path("layout/")},
			}
			if name == "a redirect" { // it leads nowhere, which is tried for half a minute
				commands = commands[:1]
			}
			for _, args := range commands {
				d := newDesk(t)
				cmd := d.command(program, args...)
				cmd.Env = append(cmd.Env, "AWS_SECRET_ACCESS_KEY="+secretKey, "AWS_SESSION_TOKEN="+secretSession)
				cmd.Env = append(cmd.Env, tt.variables...)
				if tt.endpoint != "" {
					cmd.Env = append(cmd.Env, "AWS_ENDPOINT_URL="+tt.endpoint)
				}
				got := d.finish(nil, cmd)
				if got.code == 0 || !strings.Contains(got.stdout+got.stderr, tt.says) {
					t.Errorf("%s: exit %d, without %q:\n%s%s", got.line, got.code, tt.says, got.stdout, got.stderr)
				}
				report, err := os.ReadFile(d.path("report.json"))
				if err != nil && !os.IsNotExist(err) {
					t.Fatal(err)
				}
				hasNoSecret(t, got.line, got.stdout+got.stderr+string(report))
			}
		})
	}
}

// hasNoSecret checks all that a command wrote.
func hasNoSecret(t *testing.T, line, text string) {
	t.Helper()
	for _, secret := range []string{secretKey, secretSession, testbucket.AccessKey} {
		if strings.Contains(text, secret) {
			t.Errorf("%s: %q is in\n%s", line, secret, text)
		}
	}
	if found := signature.FindString(text); found != "" {
		t.Errorf("%s: %q is in\n%s", line, found, text)
	}
}
