package testregistry

import (
	"net"
	"sync/atomic"
	"time"
)

// throttled is a listener with a limit of bytes a second on its connections, which counts their
// bytes.
type throttled struct {
	net.Listener
	rate    *atomic.Int64 // 0: no limit
	traffic *atomic.Int64 // bytes, both ways
}

func (l throttled) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &throttledConn{Conn: conn, rate: l.rate, traffic: l.traffic}, nil
}

type throttledConn struct {
	net.Conn
	rate    *atomic.Int64
	traffic *atomic.Int64
	in, out pace
}

// pace is the time when a direction may go on; net/http uses each from one goroutine at a time.
type pace struct{ next time.Time }

// grain bounds a pause: a closed connection must end soon.
const grain = 20 // pieces a second

func (c *throttledConn) Read(p []byte) (int, error) {
	rate := c.rate.Load()
	if rate > 0 {
		p = p[:min(int64(len(p)), piece(rate))]
	}
	n, err := c.Conn.Read(p)
	c.traffic.Add(int64(n))
	c.in.spend(n, rate)
	return n, err
}

func (c *throttledConn) Write(p []byte) (written int, err error) {
	for len(p) > 0 && err == nil {
		rate := c.rate.Load()
		chunk := p
		if rate > 0 {
			chunk = p[:min(int64(len(p)), piece(rate))]
		}
		c.out.spend(len(chunk), rate) // first, so that the last piece takes time, too
		var n int
		n, err = c.Conn.Write(chunk)
		c.traffic.Add(int64(n))
		written, p = written+n, p[n:]
	}
	return written, err
}

func piece(rate int64) int64 { return max(rate/grain, 1) }

// spend waits for the time of n bytes, from the end of the bytes before them. It saves up
// pauses of less than a millisecond.
func (p *pace) spend(n int, rate int64) {
	if rate <= 0 || n <= 0 {
		return
	}
	now := time.Now()
	if p.next.Before(now) {
		p.next = now
	}
	p.next = p.next.Add(time.Duration(int64(n) * int64(time.Second) / rate))
	if wait := p.next.Sub(now); wait > time.Millisecond {
		time.Sleep(wait)
	}
}
