package registry

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// downAfter different requests in a row that failed for good, a registry is
	// down: the same request again would only say that one thing is broken.
	downAfter = 8
	// maxRetryAfter is the longest pause that a run waits out. Docker Hub counts
	// pulls over six hours: nobody wants a job to hang that long.
	maxRetryAfter = 15 * time.Minute
)

// health is what a run has learnt about how one registry is doing. All who
// talk to that registry share it.
type health struct {
	registry string
	retry    RetryOptions

	mu          sync.Mutex // guards what follows
	answered    bool       // an HTTP response came, whatever it said
	until       time.Time  // the end of the pause that the registry asked for
	failed      map[string]bool
	down        error
	unreachable *UnreachableError
}

func newHealth(registry string, o RetryOptions) *health {
	return &health{registry: registry, retry: o, failed: make(map[string]bool)}
}

// admit waits until the registry may be asked.
func (h *health) admit(ctx context.Context) error {
	for {
		wait, err := h.pause()
		if err != nil {
			return err
		}
		if wait <= 0 {
			return ctx.Err()
		}
		// A second of spread, or all who waited come back at the same moment.
		wait += time.Duration(h.retry.Jitter() * float64(time.Second))
		if err := h.sleep(ctx, wait, strconv.Itoa(http.StatusTooManyRequests)); err != nil {
			return err
		}
	}
}

// pause returns how long the registry wants to be left alone.
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

// ready reports whether the registry may be asked now.
func (h *health) ready() bool {
	wait, err := h.pause()
	return err == nil && wait <= 0
}

// observe takes note of a response.
func (h *health) observe(resp *http.Response) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answered = true
	if !retryableStatus(resp.StatusCode) {
		clear(h.failed)
		return
	}
	now := h.retry.Now()
	if until := now.Add(retryAfter(resp.Header, serverClock(resp.Header, now))); until.After(h.until) {
		h.until = until
	}
}

// recordFailure takes note of a request that failed for good.
func (h *health) recordFailure(request string, err error) {
	if isType[*DownError](err) || isType[*UnreachableError](err) || isType[*RateLimitError](err) || isType[sourceError](err) || tooManyFiles(err) {
		return // not a request that failed, or not by the registry's fault
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failed[request] = true
	if len(h.failed) >= downAfter && h.down == nil {
		h.down = err
	}
}

// tooManyFiles tells what this process cannot do from what the registry does not.
func tooManyFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// markUnreachable takes note of a registry that cannot be reached, if it never answered, and returns
// the error that stands for that: nothing else is sent there.
func (h *health) markUnreachable(err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.answered || tooManyFiles(err) {
		return err
	}
	if h.unreachable == nil {
		h.unreachable = &UnreachableError{Registry: h.registry, Err: err}
	}
	return h.unreachable
}

// delay returns how long to wait before the next try, and whether there is one.
func (h *health) delay(try int, since time.Time) (time.Duration, bool) {
	h.mu.Lock()
	answered := h.answered
	h.mu.Unlock()
	spread := 0.5 + 0.5*h.retry.Jitter()
	if !answered {
		wait := time.Duration(spread * float64(firstBackoff<<(try-1)))
		return wait, try < maxSilentTries && h.retry.Now().Add(wait).Sub(since) < silentTimeout
	}
	wait := min(maxBackoff, backoff<<(try-1))
	return time.Duration(spread * float64(wait)), try < maxTries
}

// minTimestamp is where a number of seconds is one since 1970, as some services
// have it, against the RFC.
const minTimestamp = 1_000_000_000

// serverClock is what the clock of the one who answered shows: a point in time
// that it names is one of that clock, and ours may be wrong by hours.
func serverClock(header http.Header, ours time.Time) time.Time {
	if theirs, err := http.ParseTime(header.Get("Date")); err == nil {
		return theirs
	}
	return ours
}

// retryAfter returns the pause that a response asks for, in seconds or as a
// date (RFC 9110, 10.2.3).
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		if seconds > minTimestamp {
			return max(0, time.Unix(seconds, 0).Sub(now))
		}
		return max(0, time.Duration(seconds)*time.Second)
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, date.Sub(now))
	}
	return 0
}

// wait sleeps before what failed with err is tried again, or returns err when
// it has been tried often enough.
func (h *health) wait(ctx context.Context, try int, since time.Time, err error) error {
	pause, again := h.delay(try, since)
	if !again || permanent(err) {
		return err
	}
	return h.sleep(ctx, pause, shortReason(err))
}

// sleep waits before a registry is asked again, for a reason that is told.
func (h *health) sleep(ctx context.Context, d time.Duration, reason string) error {
	defer h.retry.OnRetry(h.registry, reason)()
	return h.retry.Sleep(ctx, d)
}
