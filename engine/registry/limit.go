package registry

import (
	"context"
	"math"
	"time"

	"golang.org/x/time/rate"
)

// slots are a number of requests that may be in flight at once. nil is no
// limit.
type slots chan struct{}

func newSlots(n int) slots {
	if n <= 0 {
		return nil
	}
	return make(slots, n)
}

func (p slots) acquire(ctx context.Context) error {
	if p == nil {
		return ctx.Err()
	}
	select {
	case p <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p slots) release() {
	if p != nil {
		<-p
	}
}

// limit says when a request to one registry may go out.
type limit struct {
	total  slots // of the run
	own    slots // of this registry
	rate   *rate.Limiter
	health *health
	retry  RetryOptions
}

func newLimit(total slots, s Settings, h *health, o RetryOptions) *limit {
	l := &limit{total: total, own: newSlots(s.Concurrency), health: h, retry: o}
	if s.RequestsPerSecond > 0 {
		burst := max(1, int(math.Ceil(s.RequestsPerSecond)))
		l.rate = rate.NewLimiter(rate.Limit(s.RequestsPerSecond), burst)
	}
	return l
}

// acquire waits until a request may be sent, and gives the way to hand the place
// back. All long waits come before a place is held, and the registry's own place
// comes before the run's: the other way round a registry with few places would
// fill the run's with requests that only wait, and starve the others.
func (l *limit) acquire(ctx context.Context) (release func(), err error) {
	for {
		if err := l.health.admit(ctx); err != nil {
			return nil, err
		}
		if err := l.waitForRate(ctx); err != nil {
			return nil, err
		}
		if ctx.Value(relayKey{}) != nil {
			return func() {}, nil
		}
		if err := l.own.acquire(ctx); err != nil {
			return nil, err
		}
		if err := l.total.acquire(ctx); err != nil {
			l.own.release()
			return nil, err
		}
		release = func() {
			l.total.release()
			l.own.release()
		}
		// While it stood in the queue the registry may have asked for a pause.
		if l.health.ready() {
			return release, nil
		}
		release()
	}
}

type relayKey struct{}

// relayed is the context of an upload whose bytes come from a download that is
// under way. The two count as one request in flight: an upload that waited for
// a place while its download holds one would be waited for by the next.
func relayed(ctx context.Context) context.Context {
	return context.WithValue(ctx, relayKey{}, true)
}

// waitForRate holds requests to the rate that was set for the registry.
func (l *limit) waitForRate(ctx context.Context) error {
	if l.rate == nil {
		return nil
	}
	now := l.retry.Now()
	if wait := l.rate.ReserveN(now, 1).DelayFrom(now); wait > 0 {
		return l.retry.Sleep(ctx, wait)
	}
	return nil
}

// sleep is the Sleep of RetryOptions outside tests.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
