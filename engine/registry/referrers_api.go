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

// learnAPI records the state for the repository, and for the registry if that has none yet.
// A response by the API shows that a registry has it; one repository without the API (of a
// registry that is a proxy for several) does not change that.
func (r *Repository) learnAPI(state apiState, certain bool) {
	if certain {
		r.referrersAPI.Store(int32(state))
	} else {
		r.referrersAPI.CompareAndSwap(int32(apiUnknown), int32(state))
	}
	r.host.referrersAPI.CompareAndSwap(int32(apiUnknown), int32(state))
}

// apiMissing turns a response of the API into errNoAPI, and records it if sure is true. A
// repository that has answered by the API before has it: then the response is a fault, and
// must not lose referrers silently. The same is true if the settings promise the API.
func (r *Repository) apiMissing(sure bool, err error) error {
	if sure && apiState(r.referrersAPI.Load()) == apiPresent {
		return err
	}
	if sure && r.host.promisesAPI() {
		return &NoReferrersAPIError{Registry: r.host.Name(), Err: err}
	}
	if sure {
		r.learnAPI(apiAbsent, false)
	}
	return fmt.Errorf("%w: %w", errNoAPI, err)
}

// errNoAPI is the error of a request to the referrers API if there is none.
var errNoAPI = errors.New("no referrers API")
