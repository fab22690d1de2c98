package serve

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// held is a request whose body is read step by step.
func (s *site) held(path string) *http.Response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp
}

// TestHundredsOfPullsAtOnce: of one blob, which is hashed by several of them.
func TestHundredsOfPullsAtOnce(t *testing.T) {
	for _, input := range []string{"bundle.tgz", "layout/", inBucket + "bundle.tgz", inBucket + "layout/"} {
		t.Run(input, func(t *testing.T) {
			w, path := withLarge(t, input)
			s := w.serve(input)
			want := digest.FromBytes(large())
			var pulls sync.WaitGroup
			for range 200 {
				pulls.Go(func() {
					resp := s.held(path)
					defer resp.Body.Close()
					if got, err := digest.FromReader(resp.Body); err != nil || got != want {
						t.Errorf("%s, %v", got, err)
					}
				})
			}
			pulls.Wait()
		})
	}
}

// TestSlowClientsDoNotSlowOthers: clients that take nothing keep a few KiB each, and others pull
// meanwhile.
func TestSlowClientsDoNotSlowOthers(t *testing.T) {
	for _, input := range []string{"bundle.tgz", inBucket + "bundle.tgz"} {
		t.Run(input, func(t *testing.T) { slowClients(t, input) })
	}
}

func slowClients(t *testing.T, input string) {
	w := newWorld(t)
	deflated := []byte(strings.Repeat(string(testregistry.Random("text", 300)), 100_000)) // 30 MB in members of 1 MiB
	stored := append([]byte{0x1f, 0x8b}, testregistry.Random("huge", 24<<20)...)
	w.backup(input, "registry.example", func(s *testregistry.Seeder) { s.Image("team/app", "v1", stored, deflated) })
	s := w.serve(input)
	for range 100 {
		slow := s.held("/v2/team/app/blobs/" + digest.FromBytes(stored).String())
		defer slow.Body.Close()
	}
	for range 5 {
		slow := s.held("/v2/team/app/blobs/" + digest.FromBytes(deflated).String())
		defer slow.Body.Close()
	}
	for _, content := range [][]byte{stored, deflated} {
		if a := s.get("/v2/team/app/blobs/" + digest.FromBytes(content).String()); a.err != nil || a.body != string(content) {
			t.Errorf("%d bytes, %v", len(a.body), a.err)
		}
	}
}

// TestBodyOfARequestIsNotWaitedFor: a client that announces one and sends nothing gets its
// answer.
func TestBodyOfARequestIsNotWaitedFor(t *testing.T) {
	w, _ := withLarge(t, "bundle.tgz")
	s := w.serve("bundle.tgz")
	conn, err := net.Dial("tcp", s.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "PUT /v2/team/app/manifests/v2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
	got, err := io.ReadAll(conn)
	if err != nil || !bytes.HasPrefix(got, []byte("HTTP/1.1 405 ")) {
		t.Errorf("%q, %v", got, err)
	}
}
