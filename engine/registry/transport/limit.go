package transport

import (
	"context"
	"math"

	"golang.org/x/time/rate"
)

// slots is a semaphore for the requests in flight. nil means no limit.
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

// tryAcquire takes a slot if one is free now.
func (p slots) tryAcquire() bool {
	if p == nil {
		return true
	}
	select {
	case p <- struct{}{}:
		return true
	default:
		return false
	}
}

func (p slots) release() {
	if p != nil {
		<-p
	}
}

// limit decides when a request to one registry may be sent.
type limit struct {
	total  slots // for all registries
	own    slots // for this registry
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

// acquire waits until a request may be sent, and returns the function that releases its
// slots. All long waits come before it holds a slot, and it takes the registry's slot
// before the one for all registries: otherwise a registry with few slots would fill
// those of all with waiting requests, and starve the others.
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
		// The registry may have asked for a pause while this request was waiting.
		if l.health.readyFor(ctx) {
			return release, nil
		}
		release()
	}
}

// waitForRate waits for the requests per second in the settings.
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
