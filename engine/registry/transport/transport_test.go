package transport

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"oras.land/oras-go/v2/registry/remote/auth"
)

// serveTLS starts a registry with TLS and HTTP/2, and returns its host:port
// and the file of its certificate.
func serveTLS(t *testing.T, h http.HandlerFunc, configure func(*httptest.Server)) (host, caFile string) {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = nil
	if configure != nil {
		configure(server)
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	caFile = writePEM(t, "CERTIFICATE", server.Certificate().Raw)
	return strings.TrimPrefix(server.URL, "https://"), caFile
}

func writePEM(t *testing.T, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.pem")
	noError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	return path
}

// overTLS opens test/repo with settings that are not those of this machine.
func overTLS(t *testing.T, host string, s Settings) *Repository {
	t.Helper()
	no := false
	s.PlainHTTP = &no
	o := newClock().options(t)
	o.Settings = func(string) (Settings, error) { return s, nil }
	return open(t, newRegistries(o), host, "test/repo")
}

func TestHTTP2IsForMetadataOnly(t *testing.T) {
	data := randomBytes(1000)
	var mu sync.Mutex
	protocols := make(map[string]string)
	u := &storing{}
	host, ca := serveTLS(t, func(w http.ResponseWriter, req *http.Request) {
		mu.Lock()
		protocols[req.Method+" "+kind(req)] = req.Proto
		mu.Unlock()
		switch {
		case strings.Contains(req.URL.Path, "/uploads/"):
			u.serve(w, req)
		case strings.Contains(req.URL.Path, "/blobs/"):
			http.Redirect(w, req, "/store/blob", http.StatusTemporaryRedirect)
		case req.URL.Path == "/store/blob":
			w.Write(data)
		default:
			giveManifest(w, req, imageManifest)
		}
	}, nil)
	r := overTLS(t, host, Settings{CAFile: ca})
	_, err := r.Resolve(t.Context(), "v1")
	noError(t, err)
	got, err := fetch(t.Context(), r, data, 0, 1000)
	noError(t, err)
	equal(t, "same bytes", bytes.Equal(got, data), true)
	opened := 0
	noError(t, r.PushBlob(t.Context(), describeBytes(data), opener(data, &opened)))
	for request, want := range map[string]string{
		"HEAD manifest": "HTTP/2.0", "POST upload": "HTTP/2.0",
		"GET blob": "HTTP/1.1", "GET token": "HTTP/1.1", "PUT upload": "HTTP/1.1", // "GET token" is the store here
	} {
		equal(t, request, protocols[request], want)
	}
}

// TestStreamsThatAreReset: over HTTP/2 a handler that gives up resets its stream with
// INTERNAL_ERROR, before its headers or in its body, and a server that goes down says
// GOAWAY.
func TestStreamsThatAreReset(t *testing.T) {
	var n atomic.Int32
	host, ca := serveTLS(t, func(w http.ResponseWriter, req *http.Request) {
		switch n.Add(1) {
		case 1:
			w.WriteHeader(http.StatusNotFound) // it is alive
		case 2:
			breakOff()
		case 3:
			w.Header().Set("Content-Length", "1000")
			w.Write([]byte(`{"schema`))
			http.NewResponseController(w).Flush()
			breakOff()
		case 4:
			w.Header().Set("Connection", "close") // which is GOAWAY there
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			equal(t, "protocol", req.Proto, "HTTP/2.0")
			giveManifest(w, req, imageManifest)
		}
	}, func(s *httptest.Server) { s.Config.ErrorLog = discardLog() })
	r := overTLS(t, host, Settings{CAFile: ca})
	r.FetchManifest(t.Context(), "none")
	_, data, err := r.FetchManifest(t.Context(), "v1")
	noError(t, err)
	equal(t, "manifest", string(data), string(imageManifest))
	equal(t, "requests", n.Load(), int32(5))
}

func TestCertificates(t *testing.T) {
	host, ca := serveTLS(t, manifests, func(s *httptest.Server) { s.Config.ErrorLog = discardLog() })
	for name, test := range map[string]struct {
		settings Settings
		good     bool
	}{
		"with its CA":       {Settings{CAFile: ca}, true},
		"insecure":          {Settings{Insecure: true}, true},
		"with the system's": {Settings{}, false},
		"with another's CA": {Settings{CAFile: clientCertificate(t).file}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := overTLS(t, host, test.settings)
			_, err := r.Resolve(t.Context(), "v1")
			if test.good {
				noError(t, err)
				return
			}
			if !isType[*tls.CertificateVerificationError](err) {
				t.Errorf("got %v", err)
			}
			equal(t, "requests", r.host.stats.counts()["HEAD manifest"], 1)
		})
	}
}

type certificate struct {
	file, keyFile string
	parsed        *x509.Certificate
}

func clientCertificate(t *testing.T) certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	noError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	noError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	noError(t, err)
	parsed, err := x509.ParseCertificate(der)
	noError(t, err)
	return certificate{writePEM(t, "CERTIFICATE", der), writePEM(t, "PRIVATE KEY", keyDER), parsed}
}

func TestClientCertificate(t *testing.T) {
	mine := clientCertificate(t)
	host, ca := serveTLS(t, manifests, func(s *httptest.Server) {
		pool := x509.NewCertPool()
		pool.AddCert(mine.parsed)
		s.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
		s.Config.ErrorLog = discardLog()
	})
	_, err := overTLS(t, host, Settings{CAFile: ca, CertFile: mine.file, KeyFile: mine.keyFile}).Resolve(t.Context(), "v1")
	noError(t, err)
	_, err = overTLS(t, host, Settings{CAFile: ca}).Resolve(t.Context(), "v1")
	equal(t, "fails without", err != nil, true)
}

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

func TestHTTPSToAPlainRegistry(t *testing.T) {
	r := overTLS(t, serve(t, manifests), Settings{})
	_, err := r.Resolve(t.Context(), "v1")
	if !errors.Is(err, http.ErrSchemeMismatch) {
		t.Errorf("got %v", err)
	}
	equal(t, "requests", r.host.stats.counts()["HEAD manifest"], 1)
}

func TestRedirectFromHTTPSToHTTPIsRefused(t *testing.T) {
	plain := serve(t, func(w http.ResponseWriter, req *http.Request) { t.Error("the plain host was asked") })
	host, ca := serveTLS(t, func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodPost {
			w.Header().Set("Location", "http://"+plain+"/upload")
			w.WriteHeader(http.StatusAccepted)
			return
		}
		http.Redirect(w, req, "http://"+plain+"/blob", http.StatusTemporaryRedirect)
	}, nil)
	r := overTLS(t, host, Settings{CAFile: ca})
	if _, err := r.FetchBlob(t.Context(), subject, 0, subject.Size); !errors.Is(err, ErrDowngrade) {
		t.Errorf("download: %v", err)
	}
	opened := 0
	if err := r.PushBlob(t.Context(), subject, opener(imageManifest, &opened)); !errors.Is(err, ErrDowngrade) {
		t.Errorf("upload: %v", err)
	}
}

func TestRedirectLoop(t *testing.T) {
	n := 0
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
		n++
		http.Redirect(w, req, req.URL.Path, http.StatusFound)
	})
	if _, err := r.Resolve(t.Context(), "v1"); err == nil {
		t.Error("no error")
	}
	equal(t, "requests", n, maxRedirects)
	equal(t, "places held", len(r.host.slots), 0)
}

// TestSignatureLeavesWithTheOrigin has chains of redirects of a signed request;
// one that comes back is not signed again.
func TestSignatureLeavesWithTheOrigin(t *testing.T) {
	for chain, want := range map[string]string{
		"https://r.example/1 https://r.example/2":                            "mine",
		"https://r.example/1 https://r.example:443/2":                        "mine",
		"https://r.example/1 https://r.example:8443/2":                       "",
		"https://r.example/1 https://cdn.example/2":                          "",
		"https://r.example/1 https://cdn.example/2 https://r.example/3":      "",
		"http://r.example/1 https://r.example/2":                             "",
		"https://r.example/1 https://r.example/2 https://sub.r.example:443/": "",
	} {
		var via []*http.Request
		for u := range strings.FieldsSeq(chain) {
			req, err := http.NewRequest(http.MethodGet, u, nil)
			noError(t, err)
			via = append(via, req)
		}
		last := via[len(via)-1]
		last.Header.Set("Authorization", "mine")
		noError(t, checkRedirect(last, via[:len(via)-1]))
		equal(t, chain, last.Header.Get("Authorization"), want)
	}
}

func TestRelocate(t *testing.T) {
	for _, test := range []struct{ base, location, want string }{
		{"https://r.example/v2/x/blobs/uploads/", "/v2/x/blobs/uploads/1?s=2", "https://r.example/v2/x/blobs/uploads/1?s=2"},
		{"https://r.example/v2/x/blobs/uploads/", "1", "https://r.example/v2/x/blobs/uploads/1"},
		{"https://r.example/v2/", "http://r.example/1", "https://r.example/1"},
		{"https://r.example:8443/v2/", "https://r.example/1", "https://r.example:8443/1"},
		{"https://r.example:443/v2/", "http://r.example/1", "https://r.example:443/1"},
		{"http://r.example/v2/", "https://r.example/1", "https://r.example/1"},
		{"https://r.example/v2/", "https://store.example/1", "https://store.example/1"},
		{"https://r.example/v2/", "http://store.example/1", ""},
		{"https://r.example/v2/", "http://r.example:5000/1", ""},
		{"https://r.example/v2/", "ftp://r.example/1", ""},
	} {
		base, err := http.NewRequest(http.MethodGet, test.base, nil)
		noError(t, err)
		got := ""
		if u, err := ResolveLocation(base.URL, test.location); err == nil {
			got = u.String()
		}
		equal(t, test.base+" "+test.location, got, test.want)
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

// discardLog keeps the handshakes that are to fail out of the test's output.
func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }

// pemOf reads both files of a certificate.
func pemOf(t *testing.T, c certificate) (certPEM, keyPEM []byte) {
	t.Helper()
	certPEM, err := os.ReadFile(c.file)
	noError(t, err)
	keyPEM, err = os.ReadFile(c.keyFile)
	noError(t, err)
	return certPEM, keyPEM
}
