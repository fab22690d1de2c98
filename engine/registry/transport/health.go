package transport

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	// MaxTries bounds the tries of one request, with pauses of 1, 2, 4, 8 and 16 seconds less
	// up to a half: a registry that restarts is back in half a minute.
	MaxTries   = 6
	backoff    = time.Second
	maxBackoff = 30 * time.Second
	// A registry that has never responded is more likely misspelt than down.
	maxSilentTries = 4
	silentTimeout  = 5 * time.Second
	firstBackoff   = 500 * time.Millisecond
)

// health tracks the availability of one registry. All requests to it share it.
type health struct {
	registry string
	retry    RetryOptions
	detour   detour // of the registry as a mirror

	mu          sync.Mutex // guards what follows
	answered    bool       // it has sent an HTTP response, of any status
	until       time.Time  // the end of the pause that the registry asked for
	failed      map[string]bool
	down        error
	unreachable *UnreachableError
}

func newHealth(registry string, o RetryOptions) *health {
	return &health{registry: registry, retry: o, failed: make(map[string]bool)}
}

// admit waits until a request may be sent.
func (h *health) admit(ctx context.Context) error {
	for {
		if isBrief(ctx) {
			if err := h.detour.passed(h.retry.Now()); err != nil {
				return err
			}
		}
		wait, err := h.pause()
		if err != nil {
			return err
		}
		if wait <= 0 {
			return ctx.Err()
		}
		if isBrief(ctx) {
			return &RateLimitError{Registry: h.registry, RetryAfter: wait}
		}
		// Up to a second of jitter, or all that waited go on at the same moment.
		wait += time.Duration(h.retry.Jitter() * float64(time.Second))
		if err := h.sleep(ctx, wait, strconv.Itoa(http.StatusTooManyRequests)); err != nil {
			return err
		}
	}
}

// pause returns how long to wait, as the registry asked.
func (h *health) pause() (time.Duration, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.unreachable != nil:
		return 0, h.unreachable
	case h.down != nil:
		return 0, &DownError{Registry: h.registry, Err: h.down}
	}
	wait := h.until.Sub(h.retry.Now())
	if wait > maxRetryAfter {
		return 0, &RateLimitError{Registry: h.registry, RetryAfter: wait}
	}
	return wait, nil
}

// readyFor reports whether a request may be sent now.
func (h *health) readyFor(ctx context.Context) bool {
	return h.ready() && !(isBrief(ctx) && h.detour.passed(h.retry.Now()) != nil)
}

// ready reports whether the registry may be sent a request now.
func (h *health) ready() bool {
	wait, err := h.pause()
	return err == nil && wait <= 0
}

// observe records a response.
func (h *health) observe(resp *http.Response) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answered = true
	if !RetryableStatus(resp.StatusCode) {
		clear(h.failed)
		return
	}
	now := h.retry.Now()
	if until := now.Add(retryAfter(resp.Header, serverClock(resp.Header, now))); until.After(h.until) {
		h.until = until
	}
}

// recordFailure records a request that failed after all its tries.
func (h *health) recordFailure(request string, err error) {
	if isType[*DownError](err) || isType[*UnreachableError](err) || isType[*RateLimitError](err) || isType[SourceError](err) || isType[*ReopenError](err) || TooManyFiles(err) {
		return // not a failed request, or not the fault of the registry
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failed[request] = true
	if len(h.failed) >= downAfter && h.down == nil {
		h.down = err
	}
}

// markUnreachable records that a registry cannot be reached, unless it has answered
// before, and returns the error for it. No more requests are sent to it.
func (h *health) markUnreachable(err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.answered || TooManyFiles(err) {
		return err
	}
	if h.unreachable == nil {
		h.unreachable = &UnreachableError{Registry: h.registry, Err: err}
	}
	return h.unreachable
}

// delay returns the pause before the next try, and whether there is a next try.
func (h *health) delay(try int, since time.Time) (time.Duration, bool) {
	h.mu.Lock()
	answered := h.answered
	h.mu.Unlock()
	factor := 0.5 + 0.5*h.retry.Jitter()
	if !answered {
		wait := time.Duration(factor * float64(firstBackoff<<(try-1)))
		return wait, try < maxSilentTries && h.retry.Now().Add(wait).Sub(since) < silentTimeout
	}
	wait := min(maxBackoff, backoff<<(try-1))
	return time.Duration(factor * float64(wait)), try < MaxTries
}

// wait sleeps before a retry of what failed with err. It returns err if there is no
// retry.
func (h *health) wait(ctx context.Context, try int, since time.Time, err error) error {
	pause, again := h.delay(try, since)
	if !again || IsPermanent(err) || isBrief(ctx) && try >= maxBriefTries {
		return err
	}
	return h.sleep(ctx, pause, shortReason(err))
}

// sleep waits before a retry, and reports the reason to OnRetry.
func (h *health) sleep(ctx context.Context, d time.Duration, reason string) error {
	defer h.retry.OnRetry(h.registry, reason)()
	return h.retry.Sleep(ctx, d)
}

// hasAnswered reports whether the registry has sent a response, of any status.
func (h *health) hasAnswered() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.answered
}
