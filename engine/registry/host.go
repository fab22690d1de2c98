package registry

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"

	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/oras-mirror/oras-mirror/engine/registry/credentials"
)

// host is the state of one registry.
type host struct {
	*shared
	client   *Client
	name     string   // as in references: docker.io
	base     *url.URL // https://registry-1.docker.io
	settings Settings
	health   *health
	http     *http.Client
	limit    *limit
	stores   *credentials.Stores // of its credentials

	sent *atomic.Int64 // requests

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
		shared:   &c.shared,
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
	h.limit = newLimit(c.slots, s, h.health, c.options.Retry)
	sender := newSender(h.shared, base, s, tls, h.limit)
	h.sent = &sender.sent
	direct := &retrier{next: sender, base: base, health: h.health, stats: &c.stats}
	withGuests := *direct
	withGuests.guests = newGuests(base, c.options.Retry.Now, direct)
	h.http = &http.Client{Transport: &withGuests, CheckRedirect: checkRedirect}
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
		a = newAccount(h.name, &h.options, h.settings.Credential, func(ctx context.Context, reload bool) (auth.Credential, error) {
			if reload {
				return h.stores.Reload(ctx, h.base.Host, repository)
			}
			return h.stores.Credential(ctx, h.base.Host, repository)
		})
		a.client = authClient(h.http, h.base, a.tokens, a.lookUp)
		h.auths[key] = a
	}
	return a
}
