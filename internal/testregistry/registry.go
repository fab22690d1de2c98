// Package testregistry is an OCI registry in the process of a test. It counts the requests
// that it gets, and injects faults on request.
//
// It is as strict as real registries: blobs belong to a repository, it verifies the digest of
// an upload, and refuses an image whose blobs are missing. It has its own handlers because
// go-containerregistry's pkg/registry holds one lock during a whole upload, shares blobs
// between repositories, and has no open ranges, no mounts and no pages; this package's tests
// use that one as the second registry for [Seeder] and [Snapshot].
package testregistry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Options selects the features of a registry. The zero value is a modern one: plain HTTP, no
// password, referrers API, ranges, mounts, sparse indexes.
type Options struct {
	Pipe  bool // no network: only Registry.Dial reaches it
	TLS   bool // https with a CA of its own, see Registry.CA
	HTTP2 bool // offer HTTP/2; needs TLS

	Username, Password string           // for basic authentication, or for the token endpoint
	Token              bool             // bearer tokens instead of basic; anonymous ones if Username is empty
	IdentityToken      string           // a refresh token that the token endpoint accepts, too
	TokenLife          time.Duration    // the lifetime of a token, by Now; 0: for ever
	Now                func() time.Time // nil: time.Now

	NoReferrersAPI bool
	NoRange        bool // Range is ignored and not announced
	NoMount        bool // a request for a mount opens an upload session
	NoDelete       bool // DELETE is 405
	NoDigestHeader bool // no Docker-Content-Digest on HEAD of a manifest
	RejectSparse   bool // 400 for an index whose children are missing, as in distribution
	NoDigestCheck  bool // uploads are stored under any digest
	RequireSubject bool // 404 for a manifest whose subject is missing, as in GitLab
	PageSize       int  // of tags, catalog and referrers; 0 means all in one page
}

// Registry is a running registry. Its methods may be called from any goroutine, at any time.
// The embedded Seeder adds content directly: without a request, a count or a check.
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
	traffic  atomic.Int64
	server   *httptest.Server
}

// Client returns a plain HTTP client that trusts the registry. It has no password and keeps
// no connection.
func (r *Registry) Client() *http.Client {
	transport := &http.Transport{DisableKeepAlives: true}
	if r.CA != nil {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(r.CA)
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	return &http.Client{Transport: transport}
}

// Access returns the Access of the registry, for NewSeeder and Snapshot.
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

// SetDelay makes each request wait before its response.
func (r *Registry) SetDelay(d time.Duration) { r.delay.Store(int64(d)) }

// SetRate limits each connection to a number of bytes a second in each direction; 0 means no
// limit.
func (r *Registry) SetRate(bytesPerSecond int64) { r.rate.Store(bytesPerSecond) }

// Traffic returns the bytes of all connections, in both directions, since the last call.
func (r *Registry) Traffic() int64 { return r.traffic.Swap(0) }

// ExpireTokens invalidates every issued token.
func (r *Registry) ExpireTokens() { r.tokens.expire() }

// CloseConnections breaks every open connection.
func (r *Registry) CloseConnections() { r.server.CloseClientConnections() }

// Remove removes a blob or a manifest, but not the references to it.
func (r *Registry) Remove(repo string, desc ocispec.Descriptor) { r.store.remove(repo, desc.Digest) }

// Has reports whether a repository has a blob or a manifest.
func (r *Registry) Has(repo string, desc ocispec.Descriptor) bool {
	return r.store.has(repo, desc.Digest)
}

// Tags returns the sorted tags of a repository.
func (r *Registry) Tags(repo string) []string { return r.store.tags(repo) }

// Fault sets the function that chooses the faults; nil means none. n counts the requests of
// the same method and URL from 1, without those that got a challenge. Calls of the function
// are never concurrent.
func (r *Registry) Fault(choose func(req *http.Request, n int) Fault) {
	r.faults.mu.Lock()
	defer r.faults.mu.Unlock()
	r.faults.choose = choose
}
