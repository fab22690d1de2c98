package transport

import (
	"context"
	"io"
	"net"
	"syscall"
	"time"
)

const connectTimeout = 30 * time.Second

// dialer makes connections. It applies --resolve, and aborts an upload to a server that
// no longer reads.
type dialer struct {
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	resolve map[string]string
	stall   time.Duration
}

func newDialer(s Settings, o Options) *dialer {
	d := &dialer{dial: o.Dial, resolve: s.Resolve, stall: o.StallTimeout}
	if d.dial == nil {
		d.dial = (&net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}).DialContext
	}
	return d
}

func (d *dialer) dialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.dial(ctx, network, d.target(address))
	if err != nil {
		return nil, err
	}
	return &watchedConn{Conn: conn, stall: d.stall}, nil
}

// target returns the address to dial for address.
func (d *dialer) target(address string) string {
	to, ok := d.resolve[address]
	if !ok {
		return address
	}
	if _, _, err := net.SplitHostPort(to); err == nil {
		return to
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return to
	}
	// An IPv6 address may come in brackets, as in a URL.
	if n := len(to); n > 1 && to[0] == '[' && to[n-1] == ']' {
		to = to[1 : n-1]
	}
	return net.JoinHostPort(to, port)
}

// maxWrite is the amount that has to be written within one stall timeout: 17 kB/s at
// 60 s.
const maxWrite = 1 << 20

// watchedConn aborts a write that makes no progress. A watch on the body itself would
// come between a file and its socket and prevent sendfile.
type watchedConn struct {
	net.Conn
	stall time.Duration
}

func (c *watchedConn) Write(p []byte) (n int, err error) {
	for {
		piece := p[n:min(len(p), n+maxWrite)]
		c.Conn.SetWriteDeadline(time.Now().Add(c.stall))
		m, err := c.Conn.Write(piece)
		n += m
		if err != nil || n == len(p) {
			return n, err
		}
	}
}

// ReadFrom passes a file on to the connection's own ReadFrom, piece by piece.
func (c *watchedConn) ReadFrom(r io.Reader) (n int64, err error) {
	to, fast := c.Conn.(io.ReaderFrom)
	limited, ok := r.(*io.LimitedReader)
	if !fast || !ok || !isFile(limited.R) {
		return io.Copy(struct{ io.Writer }{c}, r)
	}
	for limited.N > 0 {
		piece := &io.LimitedReader{R: limited.R, N: min(limited.N, maxWrite)}
		c.Conn.SetWriteDeadline(time.Now().Add(c.stall))
		m, err := to.ReadFrom(piece)
		n += m
		limited.N -= m
		if err != nil || m == 0 {
			return n, err
		}
	}
	return n, nil
}

// isFile reports whether the kernel can read r directly. io.Copy hides os.File behind a
// type without WriteTo, so a type assertion does not work.
func isFile(r io.Reader) bool {
	_, ok := r.(syscall.Conn)
	return ok
}
