package bucket

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/certpool"
)

const (
	dialTimeout = 30 * time.Second
	// stallTimeout is the longest time without a byte. A store that completes a large
	// multipart upload sends spaces meanwhile.
	stallTimeout = 2 * time.Minute
	// maxIdle keeps the connections of the requests that run side by side.
	maxIdle = 64
)

// newTransport returns the transport for the requests to one endpoint.
func newTransport(s Settings) (*http.Transport, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.Insecure}
	if s.CAFile != "" {
		pool, err := certpool.WithFile(s.CAFile)
		if err != nil {
			return nil, err
		}
		c.RootCAs = pool
	}
	dialer := &net.Dialer{Timeout: dialTimeout}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &watchedConn{conn}, nil
		},
		TLSClientConfig:     c,
		TLSHandshakeTimeout: dialTimeout,
		MaxIdleConnsPerHost: maxIdle,
		IdleConnTimeout:     time.Minute,
		DisableCompression:  true, // what is stored is what is read
	}, nil
}

// watchedConn fails when nothing moves for a while.
type watchedConn struct{ net.Conn }

func (c *watchedConn) Read(p []byte) (int, error) {
	c.SetReadDeadline(time.Now().Add(stallTimeout))
	return c.Conn.Read(p)
}

func (c *watchedConn) Write(p []byte) (int, error) {
	c.SetWriteDeadline(time.Now().Add(stallTimeout))
	return c.Conn.Write(p)
}
