package registry

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// lane selects the connections of a request. Metadata shares HTTP/2 connections. Bodies of
// blobs have HTTP/1.1 connections of their own, which is 2.4 times as fast over TLS and lets
// windows of one blob be fetched concurrently.
type lane int

const (
	metadata lane = iota
	download
	upload
	lanes
)

const (
	defaultStall = 60 * time.Second
	// headerTimeout is the maximum time from a request to the header of its response.
	headerTimeout = 60 * time.Second
	// uploadTimeout is the same after the last byte of a blob: a registry on S3 copies
	// the blob to its final name before it responds.
	uploadTimeout = 15 * time.Minute
	// uploadBuffer is a good size for reads from a disk. Downloads have the small
	// buffer of net/http: it is for headers, and bodies are read into larger buffers
	// without a copy.
	uploadBuffer = 64 << 10
)

type laneKey struct{}

// withLane sets the lane of all requests with ctx, including redirects.
func withLane(ctx context.Context, l lane) context.Context {
	return context.WithValue(ctx, laneKey{}, l)
}

// sender sends a request once: it waits for a slot, and watches the body of the response.
type sender struct {
	host   *host
	limit  *limit
	own    [lanes]http.RoundTripper // to the registry itself
	others [lanes]http.RoundTripper // to the hosts that it redirects to
}

func newSender(h *host, s Settings, tls *tls.Config) *sender {
	o := h.client.options
	idle := o.Concurrency
	if s.Concurrency > 0 {
		idle = min(idle, s.Concurrency)
	}
	d := newDialer(s, o)
	snd := &sender{host: h, limit: newLimit(h.client.slots, s, h.health, o.Retry)}
	for l := range lanes {
		own := newTransport(l, d, tls, idle)
		snd.own[l], snd.others[l] = own, own
		if len(tls.Certificates) > 0 {
			snd.others[l] = newTransport(l, d, withoutCertificate(tls), idle)
			own.DialTLSContext = d.dialTLS(h.base, own)
		}
	}
	return snd
}

// lane returns the connections for a request: those with the client certificate lead only to
// the registry.
func (s *sender) lane(req *http.Request) http.RoundTripper {
	l, _ := req.Context().Value(laneKey{}).(lane)
	if sameOrigin(req.URL, s.host.base) {
		return s.own[l]
	}
	return s.others[l]
}

func newTransport(l lane, d *dialer, c *tls.Config, idle int) *http.Transport {
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		OnProxyConnectResponse: onConnectResponse,
		DialContext:            d.DialContext,
		TLSClientConfig:        c.Clone(),
		TLSHandshakeTimeout:    connectTimeout,
		ResponseHeaderTimeout:  headerTimeout,
		ExpectContinueTimeout:  time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConnsPerHost:    idle,
		// A digest is over the bytes as they are stored.
		DisableCompression: true,
		Protocols:          new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	if l == metadata {
		t.Protocols.SetHTTP2(true)
		// A connection that a firewall has dropped would block all requests.
		t.HTTP2 = &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second}
		return t
	}
	if l == upload {
		t.WriteBufferSize = uploadBuffer
		t.ResponseHeaderTimeout = uploadTimeout
	}
	return t
}

func (s *sender) RoundTrip(req *http.Request) (*http.Response, error) {
	release, err := s.limit.acquire(req.Context())
	if err != nil {
		closeBody(req)
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	end := func() {
		cancel(nil)
		release()
	}
	started := s.host.client.options.Retry.Now()
	s.host.client.stats.add(req.Method + " " + kind(req))
	resp, err := s.lane(req).RoundTrip(s.withHeaders(req.WithContext(ctx)))
	s.log(req, resp, err, started)
	if err != nil {
		end()
		return nil, err
	}
	resp.Request = req
	if resp.StatusCode == http.StatusUnauthorized {
		s.host.client.stats.add("challenges")
		keepStrongest(resp)
	}
	s.host.health.observe(resp)
	if _, err := resp.Location(); resp.StatusCode/100 == 3 && err != nil && err != http.ErrNoLocation {
		resp.Body.Close()
		end()
		return nil, errLocation // net/http would quote the header
	}
	resp.Body = watch(resp, s.host.client.options.StallTimeout, cancel, end)
	if err := rejectPage(resp); err != nil {
		return nil, err
	}
	return resp, nil
}

// withHeaders adds the headers in the settings and the newest token to a request to the
// registry itself: the hosts that it redirects to must not get them.
func (s *sender) withHeaders(req *http.Request) *http.Request {
	req.Header = req.Header.Clone()
	if req.Header == nil {
		req.Header = make(http.Header)
	}
	req.Header.Set("User-Agent", s.host.client.options.UserAgent)
	if !sameOrigin(req.URL, s.host.base) {
		return req
	}
	beforeSend(req, s.host.client.options.Retry.Now())
	for key, values := range s.host.settings.Header {
		req.Header[http.CanonicalHeaderKey(key)] = values
	}
	return req
}

func (s *sender) log(req *http.Request, resp *http.Response, err error, started time.Time) {
	o := s.host.client.options
	if o.Debug == nil {
		return
	}
	took := o.Retry.Now().Sub(started).Round(time.Millisecond)
	if err != nil {
		o.Debug("%s %s: %v (%s)", req.Method, redacted(req.URL), err, took)
		return
	}
	o.Debug("%s %s: %s %d (%s)", req.Method, redacted(req.URL), resp.Proto, resp.StatusCode, took)
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}

// minProgress is the number of bytes that a body has to deliver within the stall timeout.
// Even very slow lines deliver that in two seconds.
const minProgress = 4 << 10

// watchedBody is the body of a response. It holds the request's slot in the limits until it
// is closed, and ends the request if reads wait too long for too little. The time between
// reads does not count.
type watchedBody struct {
	io.ReadCloser
	stall time.Duration
	timer *time.Timer
	fired *atomic.Bool // the timer has ended the request

	waited time.Duration // in reads since the last progress
	got    int           // bytes since then

	small bool
	eof   bool
	end   func()
}

// watch returns the watched body of resp. It calls end once, when the body is closed.
func watch(resp *http.Response, stall time.Duration, cancel context.CancelCauseFunc, end func()) io.ReadCloser {
	if resp.Body == http.NoBody || resp.ContentLength == 0 {
		resp.Body.Close()
		end()
		return http.NoBody
	}
	b := &watchedBody{
		ReadCloser: resp.Body,
		stall:      stall,
		fired:      new(atomic.Bool),
		small:      resp.ContentLength >= 0 && resp.ContentLength <= maxErrorBody || resp.StatusCode >= 400,
		end:        sync.OnceFunc(end),
	}
	b.timer = time.AfterFunc(stall, func() {
		b.fired.Store(true)
		cancel(ErrStalled)
	})
	b.timer.Stop()
	return b
}

func (b *watchedBody) Read(p []byte) (int, error) {
	began := time.Now()
	b.timer.Reset(b.stall - b.waited)
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	b.waited += time.Since(began)
	if b.got += n; b.got >= minProgress {
		b.waited, b.got = 0, 0
	}
	b.eof = b.eof || err == io.EOF
	if err != nil && err != io.EOF && b.fired.Load() {
		err = ErrStalled
	}
	return n, err
}

// Close reads the rest of a small body first, so that its connection can be reused: each 401
// before a token would cost one.
func (b *watchedBody) Close() error {
	if b.small && !b.eof {
		io.CopyN(io.Discard, b, maxErrorBody)
	}
	b.timer.Stop()
	err := b.ReadCloser.Close()
	b.end()
	return err
}
