package main

import (
	"net/http"
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
		"got opaque-value":                                          "got xxxxx",
		"proxyconnect http://user:word@proxy:3128: EOF":             "proxyconnect http://xxxxx@proxy:3128: EOF",
		"https://s3.example/b?X-Amz-Signature=abc&v=1":              "https://s3.example/b?X-Amz-Signature=xxxxx&v=1",
		"a.io/app:v1: 401 basic authentication required":            "a.io/app:v1: 401 basic authentication required",
		"a.io/b@sha256:11 from https://a.io/v2/b@c":                 "a.io/b@sha256:11 from https://a.io/v2/b@c",
		"harmless": "harmless",
	} {
		if got := s.hide(text); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
