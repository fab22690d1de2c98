package transport

import (
	"errors"
	"net/http"
	"sync"
	"time"
)

const (
	// maxFaults is the number of requests in a row after whose failure a mirror is passed
	// over. One that does not answer in time, or never has, is passed over at once.
	maxFaults = 3
	// passTime is the time for which a mirror is passed over. Then it is asked again, since a
	// run takes hours and a cache restarts in minutes.
	passTime = 5 * time.Minute
	// busyTime is the same after a 429 that does not say how long to wait.
	busyTime = 30 * time.Second
	// maxBriefTries bounds the tries of a request that has an alternative.
	maxBriefTries = 2
)

// detour decides when a registry is passed over as a mirror. The zero value is ready to use.
type detour struct {
	mu     sync.Mutex // guards what follows
	faults int        // in a row
	until  time.Time  // it is passed over before that
	err    error      // why
	told   bool
}

// passed returns the reason why a mirror is passed over now, nil if it is not.
func (d *detour) passed(now time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now.Before(d.until) {
		return d.err
	}
	return nil
}

// note records how a request to a mirror ended, and reports whether the user should know.
// answered reports whether the mirror has ever answered.
func (d *detour) note(err error, answered bool, now time.Time) (tell bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now.Before(d.until) {
		return false
	}
	pass := time.Duration(0)
	switch {
	case isType[*RateLimitError](err):
		return false // it asked for a pause, and is asked again after that
	case Status(err) == http.StatusTooManyRequests:
		pass = busyTime
		if busy, is := errors.AsType[*BusyError](err); is && busy.RetryAfter > 0 {
			return false
		}
	case isType[*UnreachableError](err), isType[*DownError](err), isType[*LoginError](err):
		pass = passTime
	case IsTransient(err):
		if d.faults++; d.faults >= maxFaults || !answered || isTimeout(err) {
			pass = passTime
		}
	case Status(err) == http.StatusUnauthorized, Status(err) == http.StatusForbidden:
		d.faults = 0
		tell, d.told = !d.told, true
		return tell
	default:
		d.faults = 0
	}
	if pass > 0 {
		d.faults, d.until, d.err = 0, now.Add(pass), err
		tell, d.told = !d.told, true
	}
	return tell
}
