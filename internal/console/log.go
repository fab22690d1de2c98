package console

import (
	"fmt"
	"io"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/progress"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// heartbeat is the time between two lines about the state of a run. CI systems end a job
// that prints nothing for some minutes.
const heartbeat = 30 * time.Second

// logScreen shows progress where lines cannot be redrawn: in a file, a pipe or a CI system.
type logScreen struct {
	w         io.Writer
	quiet     bool      // no heartbeat
	last      time.Time // time of the last heartbeat
	lastMoved int64
	retried   map[string]time.Time // when a retry was last logged, by registry
}

// Interval implements progress.Screen.
func (s *logScreen) Interval() time.Duration { return time.Second }

// Close implements progress.Screen.
func (s *logScreen) Close() {}

// Show implements progress.Screen.
func (s *logScreen) Show(now time.Time, lines []string, at progress.State) {
	for _, line := range lines {
		fmt.Fprintln(s.w, line)
	}
	if s.quiet {
		return
	}
	s.logRetry(now, at.Retry)
	switch took := now.Sub(s.last); {
	case s.last.IsZero():
	case took >= heartbeat:
		fmt.Fprintln(s.w, at.Text(float64(at.Moved-s.lastMoved)/took.Seconds()))
	default:
		return
	}
	s.last, s.lastMoved = now, at.Moved
}

// logRetry logs the retry of a registry with its reason, at most once per heartbeat.
func (s *logScreen) logRetry(now time.Time, r progress.Retry) {
	if r.Reason == "" || now.Sub(s.retried[r.Registry]) < heartbeat {
		return
	}
	if s.retried == nil {
		s.retried = make(map[string]time.Time)
	}
	s.retried[r.Registry] = now
	fmt.Fprintln(s.w, text.NoteMark+r.Registry+": "+r.Text())
}
