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

	"github.com/oras-mirror/oras-mirror/internal/loopback"
)

// host is what a run keeps of one registry.
type host struct {
	client   *Client
	name     string   // as references have it: docker.io
	base     *url.URL // where it is: https://registry-1.docker.io
	settings Settings
	health   *health
	http     *http.Client

	referrersAPI atomic.Int32 // an apiState
	apiProbe     firstProbe   // for the referrers API

	noMounts     atomic.Bool  // it fails over mounts, or grants them and brings no blob
	brokenMounts atomic.Int32 // requests for a mount that got no answer

	probeOnce     sync.Once // guards checks, which is written in it
	checksDigests bool      // bytes without their digest are refused

	chunkSize atomic.Int64 // that it takes, if it refused larger ones; 0: not known

	pageSizeRefused sync.Map // the keys of lists (listing.key) whose pages come in the registry's size

	mu    sync.Mutex // guards auths
	auths map[string]*account
}

func newHost(c *Client, ref registry.Reference, s Settings) (*host, error) {
	base := &url.URL{Scheme: "https", Host: ref.Host()}
	if plainHTTP(s, base.Hostname()) {
		base.Scheme = "http"
	}
	h := &host{
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
	direct := &retrier{next: newSender(h, s, tls), base: base, health: h.health, stats: &c.stats}
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

// promisesAPI reports whether the settings say that the registry has the referrers
// API: it is an error then if it has not.
func (h *host) promisesAPI() bool { return h.settings.DistributionSpec == specAPI }

// plainHTTP reports whether a registry is asked over http.
func plainHTTP(s Settings, hostname string) bool {
	if s.PlainHTTP != nil {
		return *s.PlainHTTP
	}
	return loopback.Is(hostname)
}

// account returns how a repository's requests are signed. Repositories of one
// registry share it unless the credential files tell them apart.
func (h *host) account(repository string) *account {
	key := ""
	if h.settings.Credential == nil {
		key = h.client.stores.namespace(h.base.Host, repository)
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

// blockedRealms are the addresses that a registry may not send our credentials
// to: oras-go's own, except that one on this machine may have its token
// service here, too, under another name of it.
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
