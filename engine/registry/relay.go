package registry

import (
	"context"
	"errors"
	"io"
	"net/http"

	"golang.org/x/time/rate"
)

// Relayed marks a reader, or one inside it by Unwrap, whose bytes come over the network
// while they are uploaded. Its upload takes no slot: Relay took one for both. It waits for
// the registry to accept the request before it reads, so that a rejected upload downloads
// nothing.
type Relayed interface {
	io.ReadCloser
	Relayed()
}

// Relay takes the slots of a transfer from r to another repository at once: one at each
// of the two registries, one where they are the same, and one of all registries. Requests
// in the context that it returns take no slots of their own. Until the caller calls
// release it must not wait for memory or for other slots.
func (r *Repository) Relay(ctx context.Context, to *Repository) (relay context.Context, release func(), err error) {
	from, into := r.host.limit, to.host.limit
	first, second := from, into
	if r.host.name > to.host.name { // one order for all transfers, so that they cannot deadlock
		first, second = into, from
	}
	if first == second {
		second = nil
	}
	for {
		if err := errors.Join(from.health.admit(ctx), into.health.admit(ctx)); err != nil {
			return nil, nil, err
		}
		release, err := acquireBoth(ctx, first, second)
		if err != nil {
			return nil, nil, err
		}
		if from.health.ready() && into.health.ready() {
			return relayed(ctx), release, nil
		}
		release()
	}
}

// acquireBoth takes a slot of each of two registries and one of the run. second may be nil.
func acquireBoth(ctx context.Context, first, second *limit) (release func(), err error) {
	if err := first.own.acquire(ctx); err != nil {
		return nil, err
	}
	if second != nil {
		if err := second.own.acquire(ctx); err != nil {
			first.own.release()
			return nil, err
		}
	}
	releaseOwn := func() {
		if second != nil {
			second.own.release()
		}
		first.own.release()
	}
	if err := first.total.acquire(ctx); err != nil {
		releaseOwn()
		return nil, err
	}
	return func() {
		first.total.release()
		releaseOwn()
	}, nil
}

// TryRelay takes a slot for one request to r if one is free now.
func (r *Repository) TryRelay(ctx context.Context) (relay context.Context, release func(), ok bool) {
	l := r.host.limit
	if !l.health.ready() || isLimited(l.rate) || !l.own.tryAcquire() {
		return nil, nil, false
	}
	if !l.total.tryAcquire() {
		l.own.release()
		return nil, nil, false
	}
	return relayed(ctx), func() {
		l.total.release()
		l.own.release()
	}, true
}

// isLimited reports whether requests wait for a rate limit: then none is sent ahead.
func isLimited(l *rate.Limiter) bool { return l != nil && l.Tokens() < 1 }

// innermost returns the reader inside body that unwraps no further.
func innermost(body io.ReadCloser) io.ReadCloser {
	for {
		outer, ok := body.(interface{ Unwrap() io.ReadCloser })
		if !ok {
			return body
		}
		body = outer.Unwrap()
	}
}

// relayHeader returns the header of a request with a body. That of a relayed one waits for
// the registry to accept the request (RFC 9110, section 10.1.1).
func relayHeader(body io.ReadCloser) http.Header {
	if _, ok := innermost(body).(Relayed); ok {
		return expectContinue
	}
	return nil
}

var expectContinue = http.Header{"Expect": {"100-continue"}}
