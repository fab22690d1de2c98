package redact

import (
	"net/http"
	"testing"
)

func TestHide(t *testing.T) {
	var s Secrets
	s.Add("me", "p@ss word")
	s.Add("me", "app")
	s.AddHeaders(http.Header{"Authorization": {"Token opaque-value"}, "X-Trace": {"harmless"}})
	s.AddProxies([]string{"HTTPS_PROXY=http://me:w/ei%rd@word@proxy:3128", "no_proxy=localhost", "all_proxy=me:other-word@proxy"})
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
		if got := s.Hide(text); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
