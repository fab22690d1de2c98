package transport

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"
)

const (
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

// sender sends a request once: it waits for a slot, and watches the body of the response.
type sender struct {
	*shared
	base   *url.URL
	header http.Header // of the settings
	limit  *limit
	own    [lanes]http.RoundTripper // to the registry itself
	others [lanes]http.RoundTripper // to the hosts that it redirects to

	sent atomic.Int64 // requests
}

func newSender(all *shared, base *url.URL, s Settings, tls *tls.Config, l *limit) *sender {
	idle := all.options.Concurrency
	if s.Concurrency > 0 {
		idle = min(idle, s.Concurrency)
	}
	d := newDialer(s, all.options)
	snd := &sender{shared: all, base: base, header: s.Header, limit: l}
	for l := range lanes {
		own := newTransport(l, d, tls, idle)
		snd.own[l], snd.others[l] = own, own
		if len(tls.Certificates) > 0 {
			snd.others[l] = newTransport(l, d, withoutCertificate(tls), idle)
			own.DialTLSContext = d.dialTLS(base, own)
		}
	}
	return snd
}

// lane returns the connections for a request: those with the client certificate lead only to
// the registry.
func (s *sender) lane(req *http.Request) http.RoundTripper {
	l, _ := req.Context().Value(laneKey{}).(lane)
	if SameOrigin(req.URL, s.base) {
		return s.own[l]
	}
	return s.others[l]
}

func newTransport(l lane, d *dialer, c *tls.Config, idle int) *http.Transport {
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		OnProxyConnectResponse: onConnectResponse,
		DialContext:            d.dialContext,
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
	started := s.options.Retry.Now()
	s.sent.Add(1)
	s.stats.add(req.Method + " " + kind(req))
	resp, err := s.lane(req).RoundTrip(s.withHeaders(req.WithContext(ctx)))
	s.log(req, resp, err, started)
	if err != nil {
		end()
		return nil, err
	}
	resp.Request = req
	if resp.StatusCode == http.StatusUnauthorized {
		s.stats.add("challenges")
		keepStrongest(resp)
	}
	s.limit.health.observe(resp)
	if _, err := resp.Location(); resp.StatusCode/100 == 3 && err != nil && err != http.ErrNoLocation {
		resp.Body.Close()
		end()
		return nil, errLocation // net/http would quote the header
	}
	resp.Body = watch(resp, s.options.StallTimeout, cancel, end)
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
	req.Header.Set("User-Agent", s.options.UserAgent)
	if !SameOrigin(req.URL, s.base) {
		return req
	}
	beforeSend(req, s.options.Retry.Now())
	for key, values := range s.header {
		req.Header[http.CanonicalHeaderKey(key)] = values
	}
	return req
}

func (s *sender) log(req *http.Request, resp *http.Response, err error, started time.Time) {
	o := s.options
	if o.Debug == nil {
		return
	}
	took := o.Retry.Now().Sub(started).Round(time.Millisecond)
	if err != nil {
		o.Debug("%s %s: %v (%s)", req.Method, Redacted(req.URL), err, took)
		return
	}
	o.Debug("%s %s: %s %d (%s)", req.Method, Redacted(req.URL), resp.Proto, resp.StatusCode, took)
}
