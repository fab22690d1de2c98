package progress

import (
	"fmt"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/text"
)

// State is where a run stands.
type State struct {
	Listed, Resolved, Finished, Failed int
	Expected, Moved                    int64 // bytes
	Moving                             string
	Retry                              Retry
}

// IsResolving says that there is nothing yet to be seen but tags that are looked
// up: an archive knows how many bytes it needs before all of it is known.
func (s State) IsResolving() bool {
	return s.Expected == 0 || s.Moved == 0 && s.Resolved+s.Failed < s.Listed
}

// Text says where a run stands; rate is in bytes a second.
func (s State) Text(rate float64) string {
	switch {
	case s.Listed == 0 && s.Moved > 0:
		return text.Bytes(s.Moved) + " hashed" + text.PerSecond(rate, ", ")
	case s.Listed == 0:
		return text.Join([]string{"listing tags", s.Retry.Text()})
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
	return text.Join([]string{line, s.Retry.Text()})
}

func (s State) resolving() string {
	line := fmt.Sprintf("resolved %s of %s", text.Thousands(s.Resolved), text.Count(s.Listed, "tag"))
	if s.Failed > 0 {
		line += fmt.Sprintf(", %s failed", text.Thousands(s.Failed))
	}
	return text.Join([]string{line, s.Retry.Text()})
}

// Left says how long a run will take at this rate; nothing if that cannot be known.
func (s State) Left(rate float64) string {
	rest := s.Expected - s.Moved
	if rate <= 0 || rest <= 0 || s.Retry.Reason != "" { // a run that waits is not slow for good
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

// maxLeft is the longest time that is worth foretelling.
const maxLeft = 1000 * time.Hour
