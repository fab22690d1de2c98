package testregistry

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// New starts a registry on a free loopback port. It ends with the test.
func New(tb testing.TB, o Options) *Registry {
	tb.Helper()
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &Registry{options: o, store: newStore()}
	r.Seeder = &Seeder{tb: tb, sink: directSink{r}}
	r.server = httptest.NewUnstartedServer(http.HandlerFunc(r.serve))
	r.server.Config.ErrorLog = log.New(io.Discard, "", 0) // faults make net/http log errors
	ctx, cancel := context.WithCancel(context.Background())
	r.server.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	if o.Pipe {
		_ = r.server.Listener.Close() // not used
		network := newPipes()
		r.server.Listener, r.Dial = network, network.dial
	}
	r.server.Listener = throttled{r.server.Listener, &r.rate, &r.traffic}
	if o.TLS {
		r.startTLS(tb)
	} else {
		r.server.Start()
	}
	tb.Cleanup(func() {
		cancel() // of what stalls
		r.server.CloseClientConnections()
		r.server.Close()
	})
	r.URL = r.server.URL
	_, r.Host, _ = strings.Cut(r.URL, "://")
	return r
}

func (r *Registry) startTLS(tb testing.TB) {
	certificate := NewCertificate(tb)
	r.CA = certificate.CA
	r.server.EnableHTTP2 = r.options.HTTP2
	r.server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate.pair(tb)}}
	r.server.StartTLS()
}
