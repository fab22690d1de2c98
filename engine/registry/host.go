package registry

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"

	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/oras-mirror/oras-mirror/engine/registry/credentials"
	"github.com/oras-mirror/oras-mirror/internal/loopback"
)

// host is the state of one registry.
type host struct {
	client   *Client
	name     string   // as in references: docker.io
	base     *url.URL // https://registry-1.docker.io
	settings Settings
	health   *health
	http     *http.Client
	limit    *limit
	stores   *credentials.Stores // of its credentials

	referrersAPI atomic.Int32 // an apiState
	apiProbe     firstProbe   // for the referrers API

	noMounts     atomic.Bool  // requests for a mount fail, or succeed without a blob
	brokenMounts atomic.Int32 // requests for a mount without a response

	probeOnce     sync.Once // guards checksDigests
	checksDigests bool      // the registry verifies the digests of uploads

	chunkSize atomic.Int64 // the size of chunks that it accepts, if it refused larger ones; 0: not known

	pageSizeRefused sync.Map // the lists (listing.key) for which it refuses our page size

	mu    sync.Mutex // guards auths
	auths map[string]*account
}

func newHost(c *Client, ref registry.Reference, s Settings, from *credentials.Stores) (*host, error) {
	base := &url.URL{Scheme: "https", Host: ref.Host()}
	if plainHTTP(s, base.Hostname()) {
		base.Scheme = "http"
	}
	h := &host{
		stores:   from,
		client:   c,
		name:     ref.Registry,
		base:     base,
		settings: s,
		health:   newHealth(ref.Registry, c.options.Retry),
		auths:    make(map[string]*account),
	}
	switch s.DistributionSpec {
	case "", specAPI:
	case specTag:
		h.referrersAPI.Store(int32(apiAbsent))
	default:
		return nil, fmt.Errorf("unknown distribution spec %q", s.DistributionSpec)
	}
	tls, err := tlsConfig(s)
	if err != nil {
		return nil, err
	}
	sender := newSender(h, s, tls)
	h.limit = sender.limit
	direct := &retrier{next: sender, base: base, health: h.health, stats: &c.stats}
	h.http = &http.Client{
		Transport:     &retrier{next: direct.next, base: base, health: h.health, stats: &c.stats, guests: newGuests(h, direct)},
		CheckRedirect: checkRedirect,
	}
	return h, nil
}

// The values of Settings.DistributionSpec.
const (
	specAPI = "v1.1-referrers-api"
	specTag = "v1.1-referrers-tag"
)

// promisesAPI reports whether the settings say that the registry has the referrers API.
// It is then an error if it does not.
func (h *host) promisesAPI() bool { return h.settings.DistributionSpec == specAPI }

// plainHTTP reports whether requests to a registry use http.
func plainHTTP(s Settings, hostname string) bool {
	if s.PlainHTTP != nil {
		return *s.PlainHTTP
	}
	return loopback.Is(hostname)
}

// account returns the account that authenticates requests for a repository. The
// repositories of a registry share one unless the credentials files have several.
func (h *host) account(repository string) *account {
	key := ""
	if h.settings.Credential == nil {
		key = h.stores.Namespace(h.base.Host, repository)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	a, ok := h.auths[key]
	if !ok {
		a = newAccount(h, repository)
		h.auths[key] = a
	}
	return a
}

// blockedRealms returns the addresses that a token service must not have: those of
// oras-go, but a registry on this machine may have its token service on this machine,
// even under another name.
func blockedRealms(base *url.URL) []netip.Prefix {
	if !loopback.Is(base.Hostname()) {
		return nil
	}
	var blocked []netip.Prefix
	for _, p := range auth.DefaultBlockedRealmPrefixes() {
		if !p.Addr().IsLoopback() {
			blocked = append(blocked, p)
		}
	}
	return blocked
}
