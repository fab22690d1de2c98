package registry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// apiState reports whether a registry or a repository has the referrers API.
type apiState int32

const (
	apiUnknown apiState = iota
	apiPresent
	apiAbsent
)

// firstProbe lets the first of many callers go ahead alone, and the others when it is done:
// they need not find out what it has learnt. The zero value is ready to use.
type firstProbe struct {
	started atomic.Bool
	once    sync.Once
	done    chan struct{}
}

// enter returns at once for the first caller, and for the others when the first is done. The
// caller calls done when it is done itself.
func (p *firstProbe) enter(ctx context.Context) (done func()) {
	p.once.Do(func() { p.done = make(chan struct{}) })
	if p.started.CompareAndSwap(false, true) {
		return func() { close(p.done) }
	}
	select {
	case <-p.done:
	case <-ctx.Done(): // the request that follows returns the error
	}
	return func() {}
}

// apiState returns what is known of the API, in this order: the settings exclude it, this
// repository has shown it, the registry has shown it.
func (r *Repository) apiState() apiState {
	if r.host.settings.DistributionSpec != specTag {
		if state := apiState(r.referrersAPI.Load()); state != apiUnknown {
			return state
		}
	}
	return apiState(r.host.referrersAPI.Load())
}

// foundAPI records a response by the API. It shows that the registry has it, too.
func (r *Repository) foundAPI() {
	r.referrersAPI.Store(int32(apiPresent))
	r.host.referrersAPI.CompareAndSwap(int32(apiUnknown), int32(apiPresent))
}

// missedAPI records that there is no API, for the repository and for the registry if nothing is
// known of them yet: one repository without the API (of a registry that is a proxy for several)
// does not change what another one has shown.
func (r *Repository) missedAPI() {
	r.referrersAPI.CompareAndSwap(int32(apiUnknown), int32(apiAbsent))
	r.host.referrersAPI.CompareAndSwap(int32(apiUnknown), int32(apiAbsent))
}

// apiMissing turns a response of a registry without the API into errNoAPI, and records it. A
// repository that has answered by the API before has it: then the response is a fault, and
// must not lose referrers silently. The same is true if the settings promise the API.
func (r *Repository) apiMissing(err error) error {
	if apiState(r.referrersAPI.Load()) == apiPresent {
		return err
	}
	if r.host.promisesAPI() {
		return &NoReferrersAPIError{Registry: r.host.Name(), Err: err}
	}
	r.missedAPI()
	return noAPI(err)
}

// noAPI turns a response into errNoAPI that may have another cause.
func noAPI(err error) error { return fmt.Errorf("%w: %w", errNoAPI, err) }

// errNoAPI is the error of a request to the referrers API if there is none.
var errNoAPI = errors.New("no referrers API")
