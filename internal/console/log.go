package console

import (
	"fmt"
	"io"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/progress"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// heartbeat is how often a log hears that a run is alive. CI systems end a job
// that has been silent for some minutes.
const heartbeat = 30 * time.Second

// logScreen is a screen where nothing can be taken back: a file, a pipe, a CI
// system.
type logScreen struct {
	w         io.Writer
	quiet     bool      // no heartbeat
	last      time.Time // of the heartbeat
	lastMoved int64
	retried   map[string]time.Time // when it was said of a registry that it is tried again
}

func (s *logScreen) Interval() time.Duration { return time.Second }

func (s *logScreen) Close() {}

func (s *logScreen) Show(now time.Time, lines []string, at progress.State) {
	for _, line := range lines {
		fmt.Fprintln(s.w, line)
	}
	if s.quiet {
		return
	}
	s.tellRetry(now, at.Retry)
	switch took := now.Sub(s.last); {
	case s.last.IsZero():
	case took >= heartbeat:
		fmt.Fprintln(s.w, at.Text(float64(at.Moved-s.lastMoved)/took.Seconds()))
	default:
		return
	}
	s.last, s.lastMoved = now, at.Moved
}

// tellRetry says of a registry that it is asked once more, and why, as often as a
// log hears of anything.
func (s *logScreen) tellRetry(now time.Time, r progress.Retry) {
	if r.Reason == "" || now.Sub(s.retried[r.Registry]) < heartbeat {
		return
	}
	if s.retried == nil {
		s.retried = make(map[string]time.Time)
	}
	s.retried[r.Registry] = now
	fmt.Fprintln(s.w, text.NoteMark+r.Registry+": "+r.Text())
}
