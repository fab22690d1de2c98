package transport

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/oras-mirror/oras-mirror/internal/certpool"
)

// tlsConfig returns the TLS configuration for the settings of a registry.
func tlsConfig(s Settings) (*tls.Config, error) {
	c, err := certpool.TLS(s.CAFile, s.Insecure)
	if err != nil {
		return nil, err
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

// dialTLS returns the DialTLSContext of t. net/http calls it for connections to the registry,
// and for those to the proxy in front of it, which must not get the client certificate;
// net/http itself makes the connection to the registry inside of the proxy's.
func (d *dialer) dialTLS(registry *url.URL, t *http.Transport) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		hostname, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		c := t.TLSClientConfig.Clone()
		if c.ServerName = hostname; !SameOrigin(&url.URL{Scheme: "https", Host: net.JoinHostPort(hostname, port)}, registry) {
			c = withoutCertificate(c)
			c.NextProtos = nil // CONNECT is sent by HTTP/1.1
		}
		conn, err := d.dialContext(ctx, network, address)
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
