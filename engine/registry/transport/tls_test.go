package transport

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
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
