package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
)

// tlsConfig makes what a registry's settings say about certificates.
func tlsConfig(s Settings) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.Insecure}
	if s.CAFile != "" {
		pool, err := certPool(s.CAFile)
		if err != nil {
			return nil, err
		}
		c.RootCAs = pool
	}
	if s.CertFile != "" || s.KeyFile != "" {
		if s.CertFile == "" || s.KeyFile == "" {
			return nil, fmt.Errorf("a client certificate needs both a certificate and a key")
		}
		pair, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("client certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// withoutCertificate returns a configuration without the client certificate.
func withoutCertificate(c *tls.Config) *tls.Config {
	c = c.Clone()
	c.Certificates = nil
	return c
}

// dialTLS returns how t begins a TLS connection. net/http asks for one to the
// registry, or to the proxy on the way to it, which gets no client certificate; the
// connection to the registry inside of the proxy's is made by net/http itself.
func (d *dialer) dialTLS(registry *url.URL, t *http.Transport) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		hostname, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		c := t.TLSClientConfig.Clone()
		if c.ServerName = hostname; !sameOrigin(&url.URL{Scheme: "https", Host: net.JoinHostPort(hostname, port)}, registry) {
			c = withoutCertificate(c)
			c.NextProtos = nil // CONNECT is sent by HTTP/1.1
		}
		conn, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, t.TLSHandshakeTimeout)
		defer cancel()
		secure := tls.Client(conn, c)
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		return secure, nil
	}
}

// certPool adds those of a file to the system's: a registry with a private
// CA may send us on to a store or a token service with a public one.
func certPool(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("CA file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("CA file: no certificate in %s", path)
	}
	return pool, nil
}

// AlertOf returns the alert by which the other side ended a TLS connection. Package
// tls keeps the type of that error to itself, but it reads as an AlertError does.
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

// isPermanentAlert tells alerts by which the two sides cannot agree from those of a
// connection that broke, such as a record that was damaged on its way (RFC 8446,
// section 6.2).
func isPermanentAlert(alert tls.AlertError) bool {
	switch alert {
	case 40, 42, 43, 44, 45, 46, 47, 48, 49, 70, 71, 112, 116, 120:
		return true
	}
	return false
}
