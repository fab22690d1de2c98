package transport

import (
	"errors"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"oras.land/oras-go/v2/registry/remote/errcode"
)

// TestWhenAMirrorIsPassedOver: how long depends on what it did.
func TestWhenAMirrorIsPassedOver(t *testing.T) {
	now := newClock().Now()
	lost := &url.Error{Op: "Get", Err: errors.New("connection reset")}
	for name, c := range map[string]struct {
		err      error
		answered bool
		times    int
		passed   time.Duration
	}{
		"one failure":                    {lost, true, 1, 0},
		"three failures":                 {lost, true, maxFaults, passTime},
		"a failure of one never heard":   {lost, false, 1, passTime},
		"no answer in time":              {&url.Error{Op: "Get", Err: os.ErrDeadlineExceeded}, true, 1, passTime},
		"a stall":                        {ErrStalled, true, 1, passTime},
		"an unknown host":                {&UnreachableError{}, true, 1, passTime},
		"a pause that it asked for":      {&RateLimitError{RetryAfter: time.Hour}, true, 5, 0},
		"a refusal":                      {statusOf(http.StatusNotFound), true, 5, 0},
		"429 that says how long":         {&BusyError{RetryAfter: time.Minute, Err: statusOf(429)}, true, 5, 0},
		"429 that does not say how long": {&BusyError{Err: statusOf(429)}, true, 1, busyTime},
	} {
		var d detour
		for range c.times {
			d.note(c.err, c.answered, now)
		}
		if before := d.passed(now.Add(c.passed - 1)); (before != nil) != (c.passed > 0) {
			t.Errorf("%s: passed over: %v", name, before)
		}
		if after := d.passed(now.Add(c.passed)); after != nil {
			t.Errorf("%s: still passed over after %s", name, c.passed)
		}
	}
}

func statusOf(code int) *errcode.ErrorResponse { return &errcode.ErrorResponse{StatusCode: code} }
