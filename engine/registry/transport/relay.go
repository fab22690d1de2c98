package transport

import (
	"context"
	"errors"

	"golang.org/x/time/rate"
)

// Relay takes the slots of a transfer between two hosts at once: one at each of the two, one
// where they are the same, and one of all hosts. Requests in the context that it returns take no
// slots of their own. Until the caller calls release it must not wait for memory or for other
// slots.
func Relay(ctx context.Context, from, to *Host) (relay context.Context, release func(), err error) {
	first, second := from.limit, to.limit
	if from.name > to.name { // one order for all transfers, so that they cannot deadlock
		first, second = second, first
	}
	if first == second {
		second = nil
	}
	for {
		if err := errors.Join(from.health.admit(ctx), to.health.admit(ctx)); err != nil {
			return nil, nil, err
		}
		release, err := acquireBoth(ctx, first, second)
		if err != nil {
			return nil, nil, err
		}
		if from.health.ready() && to.health.ready() {
			return Relayed(ctx), release, nil
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

// isLimited reports whether requests wait for a rate limit: then none is sent ahead.
func isLimited(l *rate.Limiter) bool { return l != nil && l.Tokens() < 1 }

// TryRelay takes a slot for one request to the host if one is free now.
func (h *Host) TryRelay(ctx context.Context) (relay context.Context, release func(), ok bool) {
	l := h.limit
	if !l.health.ready() || isLimited(l.rate) || !l.own.tryAcquire() {
		return nil, nil, false
	}
	if !l.total.tryAcquire() {
		l.own.release()
		return nil, nil, false
	}
	return Relayed(ctx), func() {
		l.total.release()
		l.own.release()
	}, true
}
