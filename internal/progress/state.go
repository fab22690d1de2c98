package progress

import (
	"fmt"
	"strings"
	"time"

	"github.com/rivo/uniseg"

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
		return text.Bytes(s.Moved) + " hashed" + perSecond(rate, ", ")
	case s.Listed == 0:
		return Joined([]string{"listing tags", s.Retry.Text()})
	case s.IsResolving():
		return s.resolving()
	}
	line := fmt.Sprintf("%s of %s", text.Thousands(s.Finished), text.Count(s.Listed, "artifact"))
	if s.Failed > 0 {
		line += fmt.Sprintf(", %s failed", text.Thousands(s.Failed))
	}
	line += fmt.Sprintf(", %s of %s, %s/s", text.Bytes(s.Moved), text.Bytes(s.Expected), text.Bytes(int64(rate)))
	if left := s.left(rate); left != "" {
		line += ", about " + left
	}
	return Joined([]string{line, s.Retry.Text()})
}

func (s State) resolving() string {
	line := fmt.Sprintf("resolved %s of %s", text.Thousands(s.Resolved), text.Count(s.Listed, "tag"))
	if s.Failed > 0 {
		line += fmt.Sprintf(", %s failed", text.Thousands(s.Failed))
	}
	return Joined([]string{line, s.Retry.Text()})
}

func perSecond(rate float64, before string) string {
	if rate <= 0 {
		return ""
	}
	return before + text.Bytes(int64(rate)) + "/s"
}

// left says how long a run will take at this rate; nothing if that cannot be known.
func (s State) left(rate float64) string {
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

// Beside returns the text beside a bar, in so many columns: bytes, rate, time left,
// artifacts done of all, why something is tried again, and what moves. Where there is
// no room for all of it, the rate goes first and the artifacts last.
func (s State) Beside(columns int, rate float64) string {
	done := fmt.Sprintf("%d/%d", s.Finished, s.Listed)
	all := done
	if s.Failed > 0 {
		all += fmt.Sprintf(" (%d failed)", s.Failed)
	}
	moved, speed, left, retry := text.BytesOf(s.Moved, s.Expected), perSecond(rate, ""), s.left(rate), s.Retry.Text()
	for _, parts := range [][]string{{moved, speed, left, all, retry}, {moved, left, all, retry}, {moved, all, retry}, {moved, done, retry},
		{moved, all}, {moved, done}, {done}} {
		text := Joined(parts)
		if room := columns - len(text); room >= 0 {
			return strings.TrimSuffix(text+" "+name(s.Moving, room-1), " ")
		}
	}
	return Clip(done, columns)
}

// leastName is the shortest end of a reference that still says something.
const leastName = 8

func name(text string, columns int) string {
	if columns < leastName {
		return ""
	}
	return Clip(text, columns)
}

// Joined puts commas between the parts that there are.
func Joined(parts []string) string {
	var all []string
	for _, part := range parts {
		if part != "" {
			all = append(all, part)
		}
	}
	return strings.Join(all, ", ")
}

// Clip shortens a text at its front to so many columns of a terminal, since
// references differ at their ends. A character may take two columns, or none.
func Clip(text string, columns int) string {
	width := uniseg.StringWidth(text)
	if width <= columns {
		return text
	}
	if columns < 2 {
		return ""
	}
	state := -1
	for text != "" && width > columns-1 {
		var cut int
		_, text, cut, state = uniseg.FirstGraphemeClusterInString(text, state)
		width -= cut
	}
	return "…" + text
}
