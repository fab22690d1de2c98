package registry

import (
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"

	"oras.land/oras-go/v2/registry"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

// host is the state of one registry, which its repositories share.
type host struct {
	*transport.Host
	client   *Client
	settings Settings

	referrersAPI atomic.Int32 // an apiState
	apiProbe     firstProbe   // for the referrers API

	noMounts     atomic.Bool  // requests for a mount fail, or succeed without a blob
	brokenMounts atomic.Int32 // requests for a mount without a response

	probeOnce     sync.Once // guards checksDigests
	checksDigests bool      // the registry verifies the digests of uploads

	chunkSize atomic.Int64 // the size of chunks that it accepts, if it refused larger ones; 0: not known

	pageSizeRefused sync.Map // the lists (listing.key) for which it refuses our page size
}

// newHost returns the state of the registry at base.
func newHost(c *Client, name string, base *url.URL, s Settings) (*host, error) {
	h := &host{client: c, settings: s}
	switch s.DistributionSpec {
	case "", specAPI:
	case specTag:
		h.referrersAPI.Store(int32(apiAbsent))
	default:
		return nil, fmt.Errorf("unknown distribution spec %q", s.DistributionSpec)
	}
	var err error
	h.Host, err = c.transport.Host(name, base, s.Settings)
	return h, err
}

// baseURL returns the URL of the registry of ref.
func baseURL(ref registry.Reference, s Settings) *url.URL {
	base := &url.URL{Host: ref.Host()}
	base.Scheme = s.Scheme(base.Hostname())
	return base
}

// promisesAPI reports whether the settings say that the registry has the referrers API.
// It is then an error if it does not.
func (h *host) promisesAPI() bool { return h.settings.DistributionSpec == specAPI }
