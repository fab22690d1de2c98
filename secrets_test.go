package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestHide(t *testing.T) {
	var s secrets
	s.add("me", "p@ss word")
	s.add("me", "app")
	s.addHeaders(http.Header{"Authorization": {"Token opaque-value"}, "X-Trace": {"harmless"}})
	s.addProxies([]string{"HTTPS_PROXY=http://me:w/ei%rd@word@proxy:3128", "no_proxy=localhost", "all_proxy=me:other-word@proxy"})
	for text, want := range map[string]string{
		`invalid proxy address "http://me:w/ei%rd@word@proxy:3128"`: `invalid proxy address "http://xxxxx@proxy:3128"`,
		"proxy me:other-word@proxy":                                 "proxy me:xxxxx@proxy",
		"denied: p@ss word":                                         "denied: xxxxx",
		"denied: p%40ss%20word":                                     "denied: xxxxx",
		"sent bWU6cEBzcyB3b3Jk":                                     "sent xxxxx",
		"Authorization: Basic YWJjOmRlZg==":                         "Authorization: Basic xxxxx",
		"authorization: bearer eyJhbGciOi.J9":                       "authorization: bearer xxxxx",
		`WWW-Authenticate: Bearer service="a.io",scope=a`:           `WWW-Authenticate: Bearer service="a.io",scope=a`,
		"got opaque-value":                                          "got xxxxx",
		"proxyconnect http://user:word@proxy:3128: EOF":             "proxyconnect http://xxxxx@proxy:3128: EOF",
		"https://s3.example/b?X-Amz-Signature=abc&v=1":              "https://s3.example/b?X-Amz-Signature=xxxxx&v=1",
		"a.io/app:v1: 401 basic authentication required":            "a.io/app:v1: 401 basic authentication required",
		"a.io/b@sha256:11 from https://a.io/v2/b@c":                 "a.io/b@sha256:11 from https://a.io/v2/b@c",
		"harmless":                   "harmless",
		"sent d2hvOnBAc3Mgd29yZA":    "sent xxxxx", // who:
		"denied: p%40SS":             "denied: p%40SS",
		"denied: 7040737320776f7264": "denied: xxxxx",
		"denied: %70@%73s%20word":    "denied: xxxxx",
		"invalid_grant: refresh_token=abc123&grant_type=password":  "invalid_grant: refresh_token=xxxxx&grant_type=password",
		"body grant_type=refresh_token&refresh_token=abc%2Bd":      "body grant_type=refresh_token&refresh_token=xxxxx",
		"refresh_token%3Dabc is unknown":                           "refresh_token%3Dxxxxx is unknown",
		`{"access_token":"abc","expires_in":60}`:                   `{"access_token":"xxxxx","expires_in":60}`,
		`{\"refresh_token\": \"abc.def\"}`:                         `{\"refresh_token\": \"xxxxx\"}`,
		"refresh_token: abc; access-token: def":                    "refresh_token: xxxxx; access-token: xxxxx",
		"username=me password='abc' client_secret = def":           "username=me password='xxxxx' client_secret = xxxxx",
		"token eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.c2ln expired":  "token xxxxx expired",
		"Authorization%3A%20Bearer%20abcdefgh1":                    "Authorization%3A%20Bearer%20xxxxx",
		"a.io/token:v1 -> b.io/secret/access_token:v1: 404":        "a.io/token:v1 -> b.io/secret/access_token:v1: 404",
		"a.io/password@sha256:11: invalid token: it has expired":   "a.io/password@sha256:11: invalid token: it has expired",
		`GET "https://a.io/token?service=a.io&scope=repository:b"`: `GET "https://a.io/token?service=a.io&scope=repository:b"`,
	} {
		if got := s.hide(text); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestNoSecretIsShownInAnyEncoding has a token service and a registry that quote what they
// were sent, as it was and encoded.
func TestNoSecretIsShownInAnyEncoding(t *testing.T) {
	const password = "p@ss wörd/1"
	encoded := map[string]string{
		"base64": base64.StdEncoding.EncodeToString([]byte(password)), "base64url": base64.URLEncoding.EncodeToString([]byte("x" + password)),
		"hex": hex.EncodeToString([]byte(password)), "HEX": strings.ToUpper(hex.EncodeToString([]byte(password))),
		"percent": strings.ToLower(url.QueryEscape(password)), "mixed": "%70@%73s+w%c3%B6rd%2f1", "plain": password,
	}
	var quoted []string
	for name, text := range encoded {
		quoted = append(quoted, name+" "+text)
	}
	slices.Sort(quoted)
	const tokens = `refresh_token=opaque-1&access_token=opaque-2&grant_type=password {"access_token":"opaque-3"} refresh_token%3Dopaque-4`
	quoted = append(quoted, tokens)
	refuse := func(w http.ResponseWriter) {
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]string{"code": "DENIED", "message": strings.Join(quoted, " ")}}})
	}
	for name, challenge := range map[string]string{"a registry": `Basic realm="echo"`, "a token service": `Bearer realm="http://%s/token",service="echo"`} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			t.Setenv("HOME", ".")
			t.Setenv("DOCKER_CONFIG", "nowhere")
			echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if req.Header.Get("Authorization") == "" && req.URL.Path != "/token" {
					w.Header().Set("WWW-Authenticate", strings.ReplaceAll(challenge, "%s", req.Host))
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				refuse(w)
			}))
			defer echo.Close()
			host := strings.TrimPrefix(echo.URL, "http://")
			code, stdout, stderr := try(t, password+"\n", "backup", "-d", "-o", "dir/", "-u", "me", "--password-stdin",
				"--format", "json", "--report", "report.json", host+"/app:v1")
			report, err := os.ReadFile("report.json")
			if err != nil || code != 1 {
				t.Fatalf("exit code %d, %v", code, err)
			}
			for where, text := range map[string]string{"standard error": stderr, "the events": stdout, "the report": string(report)} {
				if !strings.Contains(text, "base64url xxxxx") {
					t.Errorf("%s does not quote it: %s", where, text)
				}
				for name, secret := range encoded {
					if strings.Contains(text, secret) {
						t.Errorf("%s has the password, %s: %s", where, name, text)
					}
				}
				if strings.Contains(text, "opaque") {
					t.Errorf("%s has a token: %s", where, text)
				}
			}
		})
	}
}
