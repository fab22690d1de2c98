package registry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"golang.org/x/time/rate"
)

// ReopenError is the error of a reader whose bytes can be had again: an upload that it
// broke is sent once more, from the start, with the reader that open returns then.
type ReopenError struct{ Err error }

func (e *ReopenError) Error() string { return e.Err.Error() }
func (e *ReopenError) Unwrap() error { return e.Err }

// Relayed marks a reader, or one inside it by Unwrap, whose bytes come over the network
// while they are uploaded. Its upload takes no slot: Relay took one for both. It asks the
// registry to go ahead before it reads, so that a refusal costs nothing of the source.
type Relayed interface {
	io.ReadCloser
	Relayed()
}

// Relay takes the slots of a transfer from r to another repository at once: one at each
// of the two registries, one where they are the same, and one of all registries. Requests
// in the context that it returns take no slots of their own. The caller must not wait
// for memory, or for other slots, before it calls release.
func (r *Repository) Relay(ctx context.Context, to *Repository) (relay context.Context, release func(), err error) {
	from, into := r.host.limit, to.host.limit
	first, second := from, into
	if r.host.name > to.host.name { // one order for all transfers: they never wait in a circle
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

// acquireBoth takes a slot of each of two registries and one of all. second may be nil.
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
	owns := func() {
		if second != nil {
			second.own.release()
		}
		first.own.release()
	}
	if err := first.total.acquire(ctx); err != nil {
		owns()
		return nil, err
	}
	return func() {
		first.total.release()
		owns()
	}, nil
}

// TryRelay takes a slot for one request to r, if that is free now.
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

// isLimited tells whether requests have to wait for a rate: then none is sent ahead.
func isLimited(l *rate.Limiter) bool { return l != nil && l.Tokens() < 1 }

// isRelayed tells whether body, or a reader inside it, is relayed.
func isRelayed(body io.ReadCloser) bool {
	if _, is := body.(Relayed); is {
		return true
	}
	outer, ok := body.(interface{ Unwrap() io.ReadCloser })
	return ok && isRelayed(outer.Unwrap())
}

// expectContinue asks the registry to go ahead before a body is sent (RFC 9110, 10.1.1).
var expectContinue = http.Header{"Expect": {"100-continue"}}

type patienceKey struct{}

// WithPatience bounds the time that FetchBlob takes to open a body, and its reader to go on
// after that broke.
func WithPatience(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, patienceKey{}, d)
}

// ErrPatience says that a body did not go on in time.
var ErrPatience = errors.New("the body did not go on in time")

// patient returns a context that ends when the patience of ctx does, unless done is called
// before.
func patient(ctx context.Context) (limited context.Context, done func()) {
	d, ok := ctx.Value(patienceKey{}).(time.Duration)
	if !ok {
		return ctx, func() {}
	}
	limited, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(d, func() { cancel(ErrPatience) })
	return limited, func() { timer.Stop() }
}

// impatient returns ErrPatience beside err if that ended for want of patience.
func impatient(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), ErrPatience) {
		return errors.Join(ErrPatience, err)
	}
	return err
}
