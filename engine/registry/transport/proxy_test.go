package transport

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

const page = "\n<!DOCTYPE html><title>Welcome</title>"

func TestWebPageInsteadOfAnAnswer(t *testing.T) {
	for name, ask := range map[string]func(*Repository) error{
		"manifest": func(r *Repository) error { _, err := r.Resolve(t.Context(), "v1"); return err },
		"tags": func(r *Repository) error {
			return r.Tags(t.Context(), func([]string) error { return nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
				asked++
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				fmt.Fprint(w, page)
			})
			err := ask(r)
			var proxy *ProxyError
			if !errors.As(err, &proxy) || proxy.Status != 200 || proxy.Proxy != "" || proxy.URL.Host != r.host.base.Host {
				t.Fatalf("got %v, %+v", err, proxy)
			}
			if !strings.HasSuffix(err.Error(), r.host.base.Host+" answered with a web page") {
				t.Errorf("it says %v", err)
			}
			if asked > 2 { // a HEAD, whose answer lacks the digest, and a GET
				t.Errorf("%d requests", asked)
			}
		})
	}
}

func TestJSONThatIsCalledAWebPageIsTaken(t *testing.T) {
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, ` {"name": "test/repo", "tags": ["v1"]}`)
	})
	var tags []string
	noError(t, r.Tags(t.Context(), func(page []string) error { tags = append(tags, page...); return nil }))
	equal(t, "tags", strings.Join(tags, ","), "v1")
}

func TestWhoElseMayHaveAnswered(t *testing.T) {
	for _, test := range []struct {
		status int
		page   bool
		want   bool
	}{
		{407, false, true},
		{511, false, true},
		{200, true, true},
		{403, true, false}, // no proxy is known, and registries say that, too
		{404, true, false},
		{403, false, false},
		{502, true, false},
	} {
		resp := &http.Response{StatusCode: test.status, Request: httptest.NewRequest(http.MethodGet, "http://r.example/v2/", nil)}
		cause := errors.New("cause")
		err := blameProxy(resp, test.page, cause)
		if got := isType[*ProxyError](err); got != test.want || !errors.Is(err, cause) {
			t.Errorf("%d, page %v: %v", test.status, test.page, err)
		}
	}
}

func TestRefusedTunnelNamesTheProxy(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.WriteHeader(http.StatusProxyAuthRequired)
	}))
	defer proxy.Close()
	address, err := url.Parse(proxy.URL)
	noError(t, err)
	transport := newTransport(metadata, newDialer(Settings{}, Options{StallTimeout: connectTimeout}), new(tls.Config), 1)
	transport.Proxy = func(*http.Request) (*url.URL, error) { return address, nil }
	_, err = transport.RoundTrip(httptest.NewRequest(http.MethodGet, "https://r.example/v2/", nil))
	var refused *ProxyError
	if !errors.As(err, &refused) || refused.Status != 407 || refused.Proxy != address.Host || refused.URL.Hostname() != "r.example" {
		t.Fatalf("got %v, %+v", err, refused)
	}
	equal(t, "text", err.Error(), "the proxy "+address.Host+" answered 407 proxy authentication required")
	if !IsPermanent(err) || IsPermanent(&ProxyError{Status: 503}) {
		t.Error("what is tried again is wrong")
	}
}

func TestClientCertificateAlertIsRecognized(t *testing.T) {
	pair, err := tls.X509KeyPair(pemOf(t, clientCertificate(t)))
	noError(t, err)
	ours, theirs := net.Pipe()
	go tls.Server(theirs, &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert, SessionTicketsDisabled: true}).Handshake()
	client := tls.Client(ours, &tls.Config{InsecureSkipVerify: true})
	if err = client.Handshake(); err == nil {
		_, err = client.Read(make([]byte, 1))
	}
	alert, known := AlertOf(fmt.Errorf("wrapped: %w", err))
	if !known || alert != 116 {
		t.Errorf("%v is alert %d", err, alert)
	}
	if !IsPermanent(err) {
		t.Error("it is tried again")
	}
	if IsPermanent(&net.OpError{Op: "remote error", Err: errors.New(tls.AlertError(20).Error())}) {
		t.Error("a record that was damaged on its way is not sent again")
	}
	for _, other := range []error{nil, errors.New("tls: certificate required"), &net.OpError{Op: "remote error"}, &net.OpError{Op: "read", Err: tls.AlertError(116)}} {
		if _, known := AlertOf(other); known {
			t.Errorf("%v is taken for an alert", other)
		}
	}
}
