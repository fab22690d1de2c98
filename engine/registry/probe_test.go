package registry

import (
	"io"
	"net/http"
	"testing"
)

// TestRegistryThatChecksDigestsIsKnownAfterTwoRequests: all of its repositories share
// the answer.
func TestRegistryThatChecksDigestsIsKnownAfterTwoRequests(t *testing.T) {
	u := &uploads{t: t}
	client := New(newClock().options(t))
	host := serve(t, u.serve)
	for _, name := range []string{"test/repo", "test/repo", "other/repo"} {
		equal(t, name+" checks", open(t, client, host, name).ChecksDigests(t.Context()), true)
	}
	equal(t, "requests", u.requests(), "POST PUT")
	equal(t, "stored", len(u.stored), 0)
}

// TestRegistryThatIsNotKnownToCheckDigests: no response is an error, and none is waited
// for.
func TestRegistryThatIsNotKnownToCheckDigests(t *testing.T) {
	for name, answer := range map[string]int{"takes all": 201, "forbids": 403, "fails": 500, "is busy": 503, "knows no session": 404} {
		t.Run(name, func(t *testing.T) {
			u := &uploads{t: t, fault: func(w http.ResponseWriter, req *http.Request, _ int) bool {
				io.Copy(io.Discard, req.Body)
				w.WriteHeader(answer)
				return true
			}}
			r, c := repository(t, u.serve)
			for range 3 {
				equal(t, "checks", r.ChecksDigests(t.Context()), false)
			}
			equal(t, "requests", u.requests(), "POST PUT")
			equal(t, "pauses", len(c.Sleeps()), 0)
			equal(t, "failed requests", failures(t, r), 0)
		})
	}
	r, c := repository(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	equal(t, "checks, though no upload can be opened", r.ChecksDigests(t.Context()), false)
	equal(t, "pauses", len(c.Sleeps()), 0)
}
