package registry

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/oras-mirror/oras-mirror/engine/registry/internal/registrytest"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

var (
	newClock      = func() *clock { return &clock{registrytest.NewClock()} }
	serve         = registrytest.Serve
	imageManifest = registrytest.ImageManifest
	giveManifest  = registrytest.GiveManifest
	giveError     = registrytest.GiveError
	breakOff      = registrytest.BreakOff
	describeBytes = registrytest.DescribeBytes
	randomBytes   = registrytest.RandomBytes
	opener        = registrytest.Opener
	noError       = registrytest.NoError
)

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	registrytest.Equal(t, what, got, want)
}

// clock is time for tests.
type clock struct{ *registrytest.Clock }

// options are those of a run with that clock, the longest back-offs, and no
// credentials of the user that runs the test.
func (c *clock) options(t *testing.T) Options {
	return Options{Transport: transport.Options{
		CredentialFiles: []string{filepath.Join(t.TempDir(), "none.json")},
		Retry:           transport.RetryOptions{Now: c.Now, Sleep: c.Sleep, Jitter: func() float64 { return 1 }},
	}}
}

// repository returns test/repo of a registry with the handler h.
func repository(t *testing.T, h http.HandlerFunc) (*Repository, *clock) {
	t.Helper()
	c := newClock()
	return open(t, New(c.options(t)), serve(t, h), "test/repo"), c
}

func open(t *testing.T, c *Client, host, name string) *Repository {
	t.Helper()
	r, err := c.Repository(host, name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// held counts the slots that requests of a client hold: those of all that another one cannot
// take.
func held(t *testing.T, c *Client) int {
	t.Helper()
	all := c.options.Transport.Concurrency
	if all == 0 {
		all = 16
	}
	idle := open(t, c, "idle.example", "test/repo")
	for n := range all {
		_, release, ok := idle.TryRelay(t.Context())
		if !ok {
			return all - n
		}
		defer release()
	}
	return 0
}

// downAfter is the number of failures after which a registry is down.
const downAfter = 8

// failures counts the failures held against a registry: with as many more as are missing it is
// down.
func failures(t *testing.T, r *Repository) int {
	t.Helper()
	for n := range downAfter {
		if !r.host.IsReady(t.Context()) {
			return downAfter - n
		}
		r.host.RecordFailure(fmt.Sprint("test ", n), errors.New("test"))
	}
	equal(t, "ready after 8 failures", r.host.IsReady(t.Context()), false)
	return 0
}
