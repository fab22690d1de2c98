package transport

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"oras.land/oras-go/v2/registry/remote/auth"
)

func TestSettingsThatCannotBe(t *testing.T) {
	for name, s := range map[string]Settings{
		"no CA file":      {CAFile: filepath.Join(t.TempDir(), "none")},
		"no certificates": {CAFile: credentialsFile(t, "{}")},
		"only a key":      {KeyFile: "key.pem"},
		"no key file":     {CertFile: "none", KeyFile: "none"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newClock().options(t)
			o.Settings = func(string) (Settings, error) { return s, nil }
			if _, err := newRegistries(o).Repository("r.example", "test/repo"); err == nil {
				t.Error("no error")
			}
		})
	}
	wrong := errors.New("wrong")
	o := newClock().options(t)
	o.Settings = func(string) (Settings, error) { return Settings{}, wrong }
	if _, err := newRegistries(o).Repository("r.example", "test/repo"); !errors.Is(err, wrong) {
		t.Errorf("got %v", err)
	}
	if _, err := newRegistries(o).Repository("r.example", "Upper/Case"); err == nil {
		t.Error("a repository in capitals was taken")
	}
}

func TestNamesOfThisMachineArePlainHTTP(t *testing.T) {
	for host, want := range map[string]string{
		"localhost:5000": "http", "127.0.0.1": "http", "[::1]:5000": "http", "docker.io": "https", "r.example": "https",
	} {
		r := open(t, newRegistries(newClock().options(t)), host, "test/repo")
		equal(t, host, r.host.base.Scheme, want)
	}
	r := open(t, newRegistries(newClock().options(t)), "docker.io", "library/alpine")
	equal(t, "docker hub", r.url("tags", "list").String(), "https://registry-1.docker.io/v2/library/alpine/tags/list")
}

func TestResolveOption(t *testing.T) {
	host := serve(t, manifests)
	_, port, _ := net.SplitHostPort(host)
	plain := true
	for name, to := range map[string]string{"with a port": host, "without": "127.0.0.1"} {
		t.Run(name, func(t *testing.T) {
			o := newClock().options(t)
			o.Settings = func(string) (Settings, error) {
				return Settings{PlainHTTP: &plain, Resolve: map[string]string{"r.example:" + port: to}}, nil
			}
			_, err := open(t, newRegistries(o), "r.example:"+port, "test/repo").Resolve(t.Context(), "v1")
			noError(t, err)
		})
	}
	d := &dialer{resolve: map[string]string{"r.example:443": "[::1]", "s.example:443": "::1"}}
	equal(t, "IPv6 in brackets", d.target("r.example:443"), "[::1]:443")
	equal(t, "IPv6", d.target("s.example:443"), "[::1]:443")
	equal(t, "another", d.target("t.example:443"), "t.example:443")
}

// TestTurnedAwayOnOneConnection has each request answered by a 401 whose body
// oras-go does not read.
func TestTurnedAwayOnOneConnection(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") == "" {
			w.Header().Set("Www-Authenticate", `Basic realm="x"`)
			giveError(w, http.StatusUnauthorized, "UNAUTHORIZED", strings.Repeat("authentication required ", 100))
			return
		}
		giveManifest(w, req, imageManifest)
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	o := newClock().options(t)
	o.Settings = func(string) (Settings, error) {
		return Settings{Credential: &auth.Credential{Username: "me", Password: "secret"}}, nil
	}
	r := open(t, newRegistries(o), strings.TrimPrefix(server.URL, "http://"), "test/repo")
	for range 5 {
		r.account.client.Cache = newTokens(time.Now) // which has forgotten
		_, _, err := r.FetchManifest(t.Context(), "v1")
		noError(t, err)
	}
	equal(t, "connections", connections.Load(), 1)
}

// fakeConn counts the bytes that reach the kernel as a file.
type fakeConn struct {
	net.Conn
	files, written int64
	deadlines      int
}

func (c *fakeConn) SetWriteDeadline(time.Time) error { c.deadlines++; return nil }

func (c *fakeConn) Write(p []byte) (int, error) {
	c.written += int64(len(p))
	return len(p), nil
}

func (c *fakeConn) ReadFrom(r io.Reader) (int64, error) {
	if l, ok := r.(*io.LimitedReader); !ok || !isFile(l.R) {
		return 0, errors.New("not a file")
	}
	n, err := io.Copy(io.Discard, r)
	c.files += n
	return n, err
}

func TestFilesReachTheKernelInPieces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "blob")
	noError(t, os.WriteFile(path, make([]byte, 5<<19), 0o600))
	f, err := os.Open(path)
	noError(t, err)
	defer f.Close()
	fake := &fakeConn{}
	conn := &watchedConn{Conn: fake, stall: time.Minute}
	limited := &io.LimitedReader{R: f, N: 5 << 19}
	n, err := io.Copy(conn, limited)
	noError(t, err)
	equal(t, "copied", n, int64(5<<19))
	equal(t, "as a file", fake.files, int64(5<<19))
	equal(t, "left", limited.N, int64(0))
	equal(t, "deadlines", fake.deadlines, 3)

	n, err = io.Copy(conn, io.LimitReader(bytes.NewReader(make([]byte, 100)), 100))
	noError(t, err)
	equal(t, "copied", n, int64(100))
	equal(t, "not as a file", fake.written, int64(100))
	n2, err := conn.Write(make([]byte, 5<<19))
	noError(t, err)
	equal(t, "written", n2, 5<<19)
	equal(t, "deadlines", fake.deadlines, 7)
}

// TestUploadThatIsNotRead has a server that stops reading.
func TestUploadThatIsNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		conn := &watchedConn{Conn: near, stall: time.Minute}
		started := time.Now()
		_, err := conn.Write(make([]byte, 100))
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("got %v", err)
		}
		equal(t, "time until it was noticed", time.Since(started), time.Minute)
	})
}
