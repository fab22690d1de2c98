package transport

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// handshakes counts the connections of a server by whether a client certificate came
// with them.
type handshakes struct {
	mu            sync.Mutex
	with, without int
	http2         int
}

func (h *handshakes) note(req *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if req.ProtoMajor == 2 {
		h.http2++
	}
	if len(req.TLS.PeerCertificates) > 0 {
		h.with++
	} else {
		h.without++
	}
}

// asked starts a TLS server that accepts any client certificate, or none.
func (h *handshakes) asked(t *testing.T, serve http.HandlerFunc) (host, caFile string) {
	return serveTLS(t, func(w http.ResponseWriter, req *http.Request) {
		h.note(req)
		serve(w, req)
	}, func(s *httptest.Server) {
		s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
		s.Config.ErrorLog = discardLog()
	})
}

func (h *handshakes) check(t *testing.T, who string, shown bool) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.with+h.without == 0 || h.with > 0 && h.without > 0 || shown != (h.with > 0) {
		t.Errorf("%s: %d requests with the client certificate, %d without", who, h.with, h.without)
	}
}

// TestClientCertificateGoesToTheRegistryAlone: not to the token service, nor to the
// stores that downloads, uploads and manifests are redirected to, though they ask
// for it. A token service of the registry itself gets it.
func TestClientCertificateGoesToTheRegistryAlone(t *testing.T) {
	data := randomBytes(1000)
	var reg, own, realm, store handshakes
	realmHost, _ := realm.asked(t, func(w http.ResponseWriter, req *http.Request) { fmt.Fprint(w, `{"token":"good"}`) })
	storeHost, _ := store.asked(t, func(w http.ResponseWriter, req *http.Request) {
		switch {
		case req.Method == http.MethodPut:
			io.Copy(io.Discard, req.Body)
			w.WriteHeader(http.StatusCreated)
		case strings.Contains(req.URL.Path, "blob"):
			w.Write(data)
		default:
			giveManifest(w, req, imageManifest)
		}
	})
	tokens := "https://" + realmHost + "/token"
	var host string
	host, ca := reg.asked(t, func(w http.ResponseWriter, req *http.Request) {
		switch {
		case req.URL.Path == "/token":
			own.note(req)
			fmt.Fprint(w, `{"token":"good"}`)
		case req.Header.Get("Authorization") != "Bearer good":
			w.Header().Set("Www-Authenticate", fmt.Sprintf(`Bearer realm=%q,service="test"`, tokens))
			w.WriteHeader(http.StatusUnauthorized)
		case req.Method == http.MethodPost:
			w.Header().Set("Location", "https://"+storeHost+"/upload")
			w.WriteHeader(http.StatusAccepted)
		case strings.HasSuffix(req.URL.Path, "/own"):
			giveManifest(w, req, imageManifest)
		case strings.HasSuffix(req.URL.Path, "/again"): // a redirect to itself
			http.Redirect(w, req, "https://"+host+"/v2/test/repo/manifests/own", http.StatusTemporaryRedirect)
		default:
			http.Redirect(w, req, "https://"+storeHost+req.URL.Path, http.StatusTemporaryRedirect)
		}
	})
	mine := clientCertificate(t)
	settings := Settings{CAFile: ca, CertFile: mine.file, KeyFile: mine.keyFile}
	r := overTLS(t, host, settings)
	for _, tag := range []string{"own", "again", "elsewhere"} {
		_, _, err := r.FetchManifest(t.Context(), tag)
		noError(t, err)
	}
	got, err := fetch(t.Context(), r, data, 0, 1000)
	noError(t, err)
	equal(t, "blob", string(got), string(data))
	opened := 0
	noError(t, r.PushBlob(t.Context(), describeBytes(data), opener(data, &opened)))
	tokens = "https://" + host + "/token"
	_, err = overTLS(t, host, settings).Resolve(t.Context(), "own")
	noError(t, err)

	reg.check(t, "the registry", true)
	own.check(t, "its own token service", true)
	realm.check(t, "another token service", false)
	store.check(t, "the store", false)
	equal(t, "HTTP/2 to the registry", reg.http2 > 0, true)
}

// TestClientCertificateIsNotShownToAProxy: the certificate is for the connection
// inside of that to the proxy.
func TestClientCertificateIsNotShownToAProxy(t *testing.T) {
	var reg, proxy handshakes
	host, ca := reg.asked(t, manifests)
	proxyHost, _ := proxy.asked(t, func(w http.ResponseWriter, req *http.Request) {
		far, err := net.Dial("tcp", host)
		if err != nil || req.Method != http.MethodConnect {
			t.Errorf("%s: %v", req.Method, err)
			return
		}
		near, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		fmt.Fprint(near, "HTTP/1.1 200 OK\r\n\r\n")
		var both sync.WaitGroup
		both.Go(func() { io.Copy(far, near); far.Close() })
		both.Go(func() { io.Copy(near, far); near.Close() })
		both.Wait()
	})
	mine := clientCertificate(t)
	r := overTLS(t, host, Settings{CAFile: ca, CertFile: mine.file, KeyFile: mine.keyFile})
	sender := r.host.http.Transport.(*retrier).next.(*sender)
	for _, way := range sender.own {
		transport := way.(*http.Transport)
		transport.Proxy = http.ProxyURL(&url.URL{Scheme: "https", Host: proxyHost})
		t.Cleanup(transport.CloseIdleConnections)
	}
	_, _, err := r.FetchManifest(t.Context(), "v1")
	noError(t, err)
	body, err := r.FetchBlob(t.Context(), subject, 0, subject.Size)
	if err == nil {
		body.Close()
	}
	reg.check(t, "the registry", true)
	proxy.check(t, "the proxy", false)
}

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

func TestHTTPSToAPlainRegistry(t *testing.T) {
	r := overTLS(t, serve(t, manifests), Settings{})
	_, err := r.Resolve(t.Context(), "v1")
	if !errors.Is(err, http.ErrSchemeMismatch) {
		t.Errorf("got %v", err)
	}
	equal(t, "requests", r.host.stats.counts()["HEAD manifest"], 1)
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
