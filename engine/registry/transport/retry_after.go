package transport

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// minTimestamp is the smallest Retry-After that is a Unix time and not a number of
// seconds: some services send one, against the RFC.
const minTimestamp = 1_000_000_000

// serverClock returns the time of the server's clock, by its Date header: a time that
// it sends is one of that clock, and the local clock may be wrong by hours.
func serverClock(header http.Header, ours time.Time) time.Time {
	if theirs, err := http.ParseTime(header.Get("Date")); err == nil {
		return theirs
	}
	return ours
}

// retryAfter returns the pause that a response asks for, as a number of seconds or as a
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
