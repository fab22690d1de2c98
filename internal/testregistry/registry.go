// Package testregistry is an OCI registry in the test's own process that counts
// what it is asked, and lies on request.
//
// It is strict where real registries are: blobs belong to a repository, an
// upload's digest is checked, an image whose blobs are absent is refused. It has
// its own handlers because go-containerregistry's pkg/registry holds one lock
// during a whole upload, shares blobs between repositories, and has no open
// ranges, no mounts and no pages; this package's tests use that one as the second
// registry for [Seeder] and [Snapshot].
package testregistry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Options are what a registry can and cannot do. The zero value is a modern one:
// plain HTTP, no password, referrers API, ranges, mounts, sparse indexes.
type Options struct {
	Pipe  bool // no network: only Registry.Dial reaches it
	TLS   bool // https with a CA of its own, see Registry.CA
	HTTP2 bool // offer HTTP/2; needs TLS

	Username, Password string           // basic authentication, or what the token endpoint asks for
	Token              bool             // bearer tokens instead of basic; anonymous ones if Username is empty
	IdentityToken      string           // a refresh token that the token endpoint takes as well
	TokenLife          time.Duration    // of a token, by Now; 0: for ever
	Now                func() time.Time // nil: time.Now

	NoReferrersAPI bool
	NoRange        bool // Range is ignored and not announced
	NoMount        bool // a mount is answered with an upload session
	NoDelete       bool // DELETE is 405
	NoDigestHeader bool // no Docker-Content-Digest on HEAD of a manifest
	RejectSparse   bool // 400 for an index whose children are absent, as distribution does
	NoDigestCheck  bool // whatever bytes come become the blob of the digest that is named
	RequireSubject bool // 404 for a manifest whose subject is absent, as GitLab does
	PageSize       int  // of tags, catalog and referrers; 0 means all in one page
}

// Registry is a running registry. Its methods may be called from any goroutine,
// while it serves as well. The embedded Seeder puts content in directly: no
// request, nothing counted, no check.
type Registry struct {
	*Seeder
	Host string                                                               // 127.0.0.1:port
	URL  string                                                               // with scheme, without a slash at the end
	Dial func(ctx context.Context, network, address string) (net.Conn, error) // with Options.Pipe
	CA   []byte                                                               // PEM of the CA that signed the certificate; nil without TLS

	options  Options
	store    *store
	uploads  uploads
	tokens   tokens
	counters counters
	faults   faults
	delay    atomic.Int64
	rate     atomic.Int64
	server   *httptest.Server
}

// New starts a registry on a free loopback port and ends it with the test.
func New(tb testing.TB, o Options) *Registry {
	tb.Helper()
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &Registry{options: o, store: newStore()}
	r.Seeder = &Seeder{tb: tb, sink: directSink{r}}
	r.server = httptest.NewUnstartedServer(http.HandlerFunc(r.serve))
	r.server.Config.ErrorLog = log.New(io.Discard, "", 0) // faults make net/http talk
	ctx, cancel := context.WithCancel(context.Background())
	r.server.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	if o.Pipe {
		_ = r.server.Listener.Close() // nobody has heard of it
		network := newPipes()
		r.server.Listener, r.Dial = network, network.dial
	}
	r.server.Listener = throttled{r.server.Listener, &r.rate}
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

// Client returns a plain HTTP client that trusts the registry. It knows no
// password and keeps no connection.
func (r *Registry) Client() *http.Client {
	transport := &http.Transport{DisableKeepAlives: true}
	if r.CA != nil {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(r.CA)
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	return &http.Client{Transport: transport}
}

// Access is how a client reaches the registry, for NewSeeder and Snapshot.
func (r *Registry) Access() Access {
	return Access{
		Host:      r.Host,
		PlainHTTP: !r.options.TLS,
		Client:    r.Client(),
		Username:  r.options.Username,
		Password:  r.options.Password,
	}
}

// Reference returns the full name of a tag or digest in the registry.
func (r *Registry) Reference(repo, reference string) string {
	if strings.Contains(reference, ":") {
		return r.Host + "/" + repo + "@" + reference
	}
	return r.Host + "/" + repo + ":" + reference
}

// SetDelay makes each request wait before it is answered.
func (r *Registry) SetDelay(d time.Duration) { r.delay.Store(int64(d)) }

// SetRate limits each connection to so many bytes a second, each way; 0 is no limit.
func (r *Registry) SetRate(bytesPerSecond int64) { r.rate.Store(bytesPerSecond) }

// ExpireTokens makes every token given out so far worthless.
func (r *Registry) ExpireTokens() { r.tokens.expire() }

// CloseConnections breaks every connection that is open now.
func (r *Registry) CloseConnections() { r.server.CloseClientConnections() }

// Remove drops a blob or a manifest, and leaves what points at it.
func (r *Registry) Remove(repo string, desc ocispec.Descriptor) { r.store.remove(repo, desc.Digest) }

// Has says whether a repository has a blob or a manifest.
func (r *Registry) Has(repo string, desc ocispec.Descriptor) bool {
	return r.store.has(repo, desc.Digest)
}

// Tags returns the sorted tags of a repository.
func (r *Registry) Tags(repo string) []string { return r.store.tags(repo) }
