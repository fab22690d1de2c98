package progress

import (
	"fmt"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/text"
)

// State is a snapshot of a run's counters.
type State struct {
	Listed, Resolved, Finished, Failed int    // artifacts
	Expected, Moved                    int64  // bytes
	Moving                             string // the artifact in transfer
	Retry                              Retry
}

// IsResolving reports whether the run only resolves tags so far. Bytes may be expected
// already: an archive knows some sizes before all tags are resolved.
func (s State) IsResolving() bool {
	return s.Expected == 0 || s.Moved == 0 && s.Resolved+s.Failed < s.Listed
}

// Text describes the state in one line; rate is in bytes per second.
func (s State) Text(rate float64) string {
	switch {
	case s.Listed == 0 && s.Moved > 0:
		return text.Join(text.Bytes(s.Moved)+" hashed", text.Rate(rate))
	case s.Listed == 0:
		return text.Join("listing tags", s.Retry.Text())
	case s.IsResolving():
		return s.resolving()
	}
	line := fmt.Sprintf("%s of %s", text.Thousands(s.Finished), text.Count(s.Listed, "artifact"))
	if s.Failed > 0 {
		line += fmt.Sprintf(", %s failed", text.Thousands(s.Failed))
	}
	line += fmt.Sprintf(", %s of %s, %s/s", text.Bytes(s.Moved), text.Bytes(s.Expected), text.Bytes(int64(rate)))
	if left := s.Left(rate); left != "" {
		line += ", about " + left
	}
	return text.Join(line, s.Retry.Text())
}

func (s State) resolving() string {
	line := fmt.Sprintf("resolved %s of %s", text.Thousands(s.Resolved), text.Count(s.Listed, "tag"))
	if s.Failed > 0 {
		line += fmt.Sprintf(", %s failed", text.Thousands(s.Failed))
	}
	return text.Join(line, s.Retry.Text())
}

// Left estimates the time that the run still takes at this rate; "" if it cannot tell.
func (s State) Left(rate float64) string {
	rest := s.Expected - s.Moved
	if rate <= 0 || rest <= 0 || s.Retry.Reason != "" { // the rate of a run that waits says nothing
		return ""
	}
	seconds := float64(rest) / rate
	if seconds > maxLeft.Seconds() {
		return ""
	}
	if seconds < 60 {
		return fmt.Sprintf("%.0f s left", max(1, seconds))
	}
	return text.Seconds(time.Duration(seconds)*time.Second) + " left"
}

// maxLeft bounds the estimates that are shown.
const maxLeft = 1000 * time.Hour
