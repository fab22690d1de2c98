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

	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/exit"
)

// The hints in this file are about the way to a registry: proxies, certificates, the
// scheme, and whether it answers at all.

// proxyHint is for what stands between us and a registry.
func proxyHint(err error) string {
	var dial *net.OpError
	var asked *url.Error
	if errors.As(err, &dial) && dial.Op == "proxyconnect" {
		variable := "HTTPS_PROXY"
		if errors.As(err, &asked) && strings.HasPrefix(asked.URL, "http:") {
			variable = "HTTP_PROXY"
		}
		return "the proxy that " + variable + " names cannot be reached: check it, or name the registry in NO_PROXY"
	}
	var e *registry.ProxyError
	if !errors.As(err, &e) {
		return ""
	}
	host, variable := e.URL.Hostname(), strings.ToUpper(e.URL.Scheme)+"_PROXY"
	switch {
	case e.Status == http.StatusProxyAuthRequired:
		return fmt.Sprintf("put the user name and password for the proxy before its host in %s, or go past it with NO_PROXY=%s", variable, host)
	case e.Status == http.StatusNetworkAuthenticationRequired:
		return "this network wants a login first, in a browser; if it has a proxy, name that in " + variable
	case e.Proxy == "":
		return fmt.Sprintf("check the name of the registry; if %s is reached only through a proxy, name that in %s", host, variable)
	case e.Status/100 == 5:
		return fmt.Sprintf("the proxy %s, which %s names, does not reach %s: NO_PROXY=%s goes past it", e.Proxy, variable, host, host)
	}
	return fmt.Sprintf("the proxy %s, which %s names, may refuse %s: have it allowed there, or go past it with NO_PROXY=%s", e.Proxy, variable, host, host)
}

// Alerts of TLS by which a server says that it wants another certificate of ours, or
// one at all (RFC 8446, section 6.2). TLS 1.2 has no word for the latter.
const (
	alertHandshakeFailure    tls.AlertError = 40
	alertBadCertificate      tls.AlertError = 42
	alertUnknownCA           tls.AlertError = 48
	alertCertificateRequired tls.AlertError = 116
)

func certificateHint(err error) string {
	const flags = "--cert-file and --key-file, or certFile and keyFile in the spec"
	var invalid x509.CertificateInvalidError
	alert, _ := registry.AlertOf(err)
	switch {
	case alert == alertCertificateRequired:
		return "the registry wants a client certificate: " + flags
	case alert == alertHandshakeFailure:
		return "the registry may want a client certificate: " + flags
	case alert == alertBadCertificate || alert == alertUnknownCA:
		return "the registry does not accept the client certificate: check " + flags
	case exit.Is[x509.UnknownAuthorityError](err):
		return "trust the authority that signed the certificate with --ca-file PATH, or caFile in the spec"
	case exit.Is[x509.HostnameError](err):
		return "use a name that the certificate is for; --resolve HOST:PORT:ADDRESS says where to find it"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate is out of date, or the clock of this machine is wrong; --insecure takes it as it is"
	}
	return ""
}

// schemeHint knows what net/http says of http where it expected TLS, and what
// a server says that is asked the other way round: 400, and no error in the
// registry's words.
func schemeHint(err error) string {
	var r *errcode.ErrorResponse
	switch {
	case errors.Is(err, http.ErrSchemeMismatch):
		return "the registry speaks http: --plain-http, or plainHTTP in the spec"
	case exit.Is[tls.RecordHeaderError](err):
		return "the registry may speak http: --plain-http, or plainHTTP in the spec"
	case errors.As(err, &r) && r.URL != nil && r.URL.Scheme == "http" &&
		r.StatusCode == http.StatusBadRequest && len(r.Errors) == 0:
		return "the registry may speak https: --plain-http=false, or plainHTTP in the spec"
	}
	return ""
}

// reachHint is for registries that do not answer, or not to the end.
func reachHint(err error) string {
	var dns *net.DNSError
	switch {
	case exit.Is[*registry.DownError](err):
		return "retry when the registry is back; the run resumes where it stopped"
	case errors.As(err, &dns) && dns.IsNotFound:
		return "check the name of the registry; behind a proxy, set HTTPS_PROXY"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: check host and port"
	case errors.Is(err, registry.ErrStalled):
		return "--stall-timeout gives a slow registry more time"
	}
	return ""
}
