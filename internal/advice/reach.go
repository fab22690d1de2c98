package advice

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

// The hints in this file are about connections to a registry: proxies, certificates, the
// scheme, and registries that do not answer.

// proxyHint advises on proxies and captive portals.
func proxyHint(err error) string {
	var dial *net.OpError
	var asked *url.Error
	if errors.As(err, &dial) && dial.Op == "proxyconnect" {
		variable := "HTTPS_PROXY"
		if errors.As(err, &asked) && strings.HasPrefix(asked.URL, "http:") {
			variable = "HTTP_PROXY"
		}
		return "cannot reach the proxy in " + variable + ": check it, or add the registry to NO_PROXY"
	}
	var e *transport.ProxyError
	if !errors.As(err, &e) {
		return ""
	}
	host, variable := e.URL.Hostname(), strings.ToUpper(e.URL.Scheme)+"_PROXY"
	switch {
	case e.Status == http.StatusProxyAuthRequired:
		return fmt.Sprintf("put the user name and password of the proxy before its host in %s, as USER:PASSWORD@, or bypass it with NO_PROXY=%s", variable, host)
	case e.Status == http.StatusNetworkAuthenticationRequired:
		return "log in to this network in a browser first; if it has a proxy, set " + variable
	case e.Proxy == "":
		return fmt.Sprintf("check the name of the registry; if %s needs a proxy, set %s", host, variable)
	case e.Status/100 == 5:
		return fmt.Sprintf("the proxy %s, set in %s, cannot reach %s: bypass it with NO_PROXY=%s", e.Proxy, variable, host, host)
	}
	return fmt.Sprintf("the proxy %s, set in %s, may block %s: allow it there, or bypass the proxy with NO_PROXY=%s", e.Proxy, variable, host, host)
}

// The TLS alerts of a server that rejects a client certificate, or requires one (RFC 8446,
// section 6.2). TLS 1.2 has no alert for a missing certificate: servers send
// handshake_failure.
const (
	alertHandshakeFailure    tls.AlertError = 40
	alertBadCertificate      tls.AlertError = 42
	alertUnknownCA           tls.AlertError = 48
	alertCertificateRequired tls.AlertError = 116
)

func certificateHint(err error) string {
	const flags = "--cert-file and --key-file, or certFile and keyFile in the spec"
	var invalid x509.CertificateInvalidError
	alert, _ := transport.AlertOf(err)
	switch {
	case alert == alertCertificateRequired:
		return "the registry requires a client certificate: set " + flags
	case alert == alertHandshakeFailure:
		return "the registry may require a client certificate: set " + flags
	case alert == alertBadCertificate || alert == alertUnknownCA:
		return "the registry rejected the client certificate: check " + flags
	case is[x509.UnknownAuthorityError](err):
		return "trust the authority that signed the certificate with --ca-file PATH, or caFile in the spec"
	case is[x509.HostnameError](err):
		return "use a host name that the certificate is valid for; --resolve HOST:PORT:ADDRESS sets its address"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "renew the certificate, or correct the clock of this machine; --insecure skips verification"
	}
	return ""
}

// schemeHint advises on http where https is expected, which net/http reports, and on https
// where http is expected: such a server answers 400 without an error of the
// distribution-spec.
func schemeHint(err error) string {
	var r *errcode.ErrorResponse
	switch {
	case errors.Is(err, http.ErrSchemeMismatch):
		return "the registry uses http: set --plain-http, or plainHTTP in the spec"
	case is[tls.RecordHeaderError](err):
		return "the registry may use http: set --plain-http, or plainHTTP in the spec"
	case errors.As(err, &r) && r.URL != nil && r.URL.Scheme == "http" &&
		r.StatusCode == http.StatusBadRequest && len(r.Errors) == 0:
		return "the registry may use https: set --plain-http=false, or plainHTTP in the spec"
	}
	return ""
}

// reachHint advises on registries that do not answer, or stop in the middle.
func reachHint(err error) string {
	var dns *net.DNSError
	switch {
	case is[*transport.DownError](err):
		return "retry when the registry is back; the run resumes where it stopped"
	case errors.As(err, &dns) && dns.IsNotFound:
		return "check the name of the registry; behind a proxy, set HTTPS_PROXY"
	case dns != nil:
		return "the name cannot be looked up: check the network of this machine; behind a proxy, set HTTPS_PROXY"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "check the network of this machine; behind a proxy, set HTTPS_PROXY"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing is listening there: check the host and the port"
	case errors.Is(err, transport.ErrStalled):
		return "give a slow registry more time with --stall-timeout"
	}
	return ""
}
