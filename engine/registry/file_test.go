package registry

import (
	"io"
	"net/http"
	"net/url"
	"testing"
)

// TestRequestsByHost checks that requests for files count under the name of their host, also for
// one that another host has named.
func TestRequestsByHost(t *testing.T) {
	answer := func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("text")) }
	own, named := serve(t, answer), serve(t, answer)
	c := New(newClock().options(t))
	from := &url.URL{Scheme: "http", Host: own, Path: "/index.yaml"}
	for _, host := range []string{own, named, named} {
		noError(t, c.ReadFile(t.Context(), from, &url.URL{Scheme: "http", Host: host, Path: "/app.tgz"}, 100, func(r io.Reader) error {
			_, err := io.Copy(io.Discard, r)
			return err
		}))
	}
	sent := c.Requests()
	equal(t, "hosts", len(sent), 2)
	equal(t, "requests to the own host", sent[own], 1)
	equal(t, "requests to the other host", sent[named], 2)
}
