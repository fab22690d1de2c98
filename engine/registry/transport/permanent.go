package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"syscall"
	"time"
)

// maxRetryAfter is the longest pause that the client waits. Docker Hub counts
// pulls over six hours: a job must not hang that long.
const maxRetryAfter = 15 * time.Minute

// retryable reports whether the same request may succeed later.
func retryable(resp *http.Response, err error) bool {
	if err != nil {
		return !IsPermanent(err)
	}
	return RetryableStatus(resp.StatusCode)
}

// RetryableStatus reports whether a response with this status may be another one later.
func RetryableStatus(code int) bool {
	switch code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
		http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable,
		http.StatusGatewayTimeout:
		return true
	}
	return false
}

// IsPermanent reports whether err stays the same on a retry. All errors that it does not know
// count as transient errors of the network: most errors of net/http (a lost connection,
// GOAWAY, a reset HTTP/2 stream) have no type. The caller checks its context itself: a
// timed-out dial is a DeadlineExceeded, too.
func IsPermanent(err error) bool {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.IsNotFound
	}
	return unreachable(err) ||
		isType[*DownError](err) || isType[SourceError](err) || isType[*RateLimitError](err) ||
		isType[*net.AddrError](err) || isType[net.InvalidAddrError](err) ||
		errors.Is(err, ErrDowngrade) || errors.Is(err, errLocation)
}

// unreachable reports whether err is about a host name, a certificate or a proxy: it then
// applies to all requests to that host.
func unreachable(err error) bool {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.IsNotFound
	}
	var proxy *ProxyError
	if errors.As(err, &proxy) {
		return !RetryableStatus(proxy.Status)
	}
	if alert, refused := AlertOf(err); refused {
		return isPermanentAlert(alert)
	}
	return isType[*tls.CertificateVerificationError](err) || isType[tls.RecordHeaderError](err) ||
		isType[x509.UnknownAuthorityError](err) ||
		isType[x509.HostnameError](err) || isType[x509.CertificateInvalidError](err) ||
		errors.Is(err, http.ErrSchemeMismatch)
}

// schemeMismatch returns http.ErrSchemeMismatch for a server that answers a TLS handshake in
// HTTP: net/http does that only for errors that its transport does not wrap.
func schemeMismatch(err error) error {
	var header tls.RecordHeaderError
	if errors.As(err, &header) && string(header.RecordHeader[:]) == "HTTP/" {
		return http.ErrSchemeMismatch
	}
	return err
}

func isType[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

// shortReason returns the reason of a retry in a word or two.
func shortReason(err error) string {
	var (
		status  *statusError
		errno   syscall.Errno
		timeout net.Error
	)
	switch {
	case errors.As(err, &status):
		return strconv.Itoa(status.code)
	case Status(err) != 0:
		return strconv.Itoa(Status(err))
	case errors.As(err, &errno):
		return errno.Error()
	case errors.Is(err, ErrStalled):
		return "stalled"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timed out"
	}
	return "connection lost"
}

// TooManyFiles reports whether this process has too many open files: that is no fault
// of a registry.
func TooManyFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// IsTransient reports whether an endpoint may succeed later.
func IsTransient(err error) bool {
	if limit, is := errors.AsType[*RateLimitError](err); is {
		return limit.RetryAfter <= maxRetryAfter
	}
	if s := Status(err); s != 0 {
		return RetryableStatus(s)
	}
	return !IsPermanent(err) && (isType[*url.Error](err) || errors.Is(err, ErrStalled) || errors.Is(err, io.ErrUnexpectedEOF))
}

func isTimeout(err error) bool {
	timeout, is := errors.AsType[net.Error](err)
	return is && timeout.Timeout() || errors.Is(err, ErrStalled)
}

// AlertOf returns the alert with which the peer ended a TLS connection. Package tls does not
// export the type of that error, but its text is the one of an AlertError.
func AlertOf(err error) (tls.AlertError, bool) {
	var remote *net.OpError
	if !errors.As(err, &remote) || remote.Op != "remote error" || remote.Err == nil {
		return 0, false
	}
	for code := range 256 {
		if alert := tls.AlertError(code); alert.Error() == remote.Err.Error() {
			return alert, true
		}
	}
	return 0, false
}

// isPermanentAlert tells the alerts of peers that cannot agree from those of a broken
// connection, such as a record that was damaged in transit (RFC 8446, section 6.2).
func isPermanentAlert(alert tls.AlertError) bool {
	switch alert {
	case 40, 42, 43, 44, 45, 46, 47, 48, 49, 70, 71, 112, 116, 120:
		return true
	}
	return false
}
