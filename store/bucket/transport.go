package bucket

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
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
func newTransport(s Settings, most limits) (http.RoundTripper, error) {
	c, err := certpool.TLS(s.CAFile, s.Insecure)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: dialTimeout}
	return guard{&http.Transport{
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
	}, most.withDefaults()}, nil
}

// limits bound an answer that is not the content of an object.
type limits struct {
	// bytes is 8 MiB if it is 0: a page of a list has at most 1,000 keys of 1,024 bytes, which
	// take three times as much when they are escaped.
	bytes int
	// tags bounds those of its XML, and is 65,536 if it is 0. An object takes 26 of them, and
	// an element in memory many times its bytes.
	tags int
}

func (l limits) withDefaults() limits {
	return limits{cmp.Or(l.bytes, 8<<20), cmp.Or(l.tags, 64<<10)}
}

// errAnswer is the error for an answer that is longer.
var errAnswer = errors.New("the answer of the object store is too long")

// guard keeps a store from sending lists and messages without an end.
type guard struct {
	http.RoundTripper
	most limits
}

func (g guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := watchPages(r); err != nil {
		return nil, err
	}
	response, err := g.RoundTripper.RoundTrip(r)
	if err != nil || r.Method == http.MethodGet && r.URL.RawQuery == "" && response.StatusCode < http.StatusMultipleChoices {
		return response, err
	}
	response.Body = &answer{response.Body, g.most}
	return response, nil
}

// answer is a body that fails beyond a length, or beyond a number of tags.
type answer struct {
	io.ReadCloser
	left limits
}

func (a *answer) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	a.left.bytes -= n
	a.left.tags -= bytes.Count(p[:n], []byte("<"))
	if a.left.bytes < 0 || a.left.tags < 0 {
		return 0, errAnswer
	}
	return n, err
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
