package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/rivo/uniseg"
)

// standing is where a run stands.
type standing struct {
	listed, resolved, finished, failed int
	expected, moved                    int64 // bytes
	moving                             string
	retry                              retry
}

// isResolving says that there is nothing yet to be seen but tags that are looked
// up: an archive knows how many bytes it needs before all of it is known.
func (s standing) isResolving() bool {
	return s.expected == 0 || s.moved == 0 && s.resolved+s.failed < s.listed
}

// text says where a run stands; rate is in bytes a second.
func (s standing) text(rate float64) string {
	switch {
	case s.listed == 0 && s.moved > 0:
		return bytesText(s.moved) + " hashed" + perSecond(rate, ", ")
	case s.listed == 0:
		return joined([]string{"listing tags", s.retry.text()})
	case s.isResolving():
		return s.resolving()
	}
	text := fmt.Sprintf("%s of %s", thousands(s.finished), count(s.listed, "artifact"))
	if s.failed > 0 {
		text += fmt.Sprintf(", %s failed", thousands(s.failed))
	}
	text += fmt.Sprintf(", %s of %s, %s/s", bytesText(s.moved), bytesText(s.expected), bytesText(int64(rate)))
	if left := s.left(rate); left != "" {
		text += ", about " + left
	}
	return joined([]string{text, s.retry.text()})
}

func (s standing) resolving() string {
	text := fmt.Sprintf("resolved %s of %s", thousands(s.resolved), count(s.listed, "tag"))
	if s.failed > 0 {
		text += fmt.Sprintf(", %s failed", thousands(s.failed))
	}
	return joined([]string{text, s.retry.text()})
}

func perSecond(rate float64, before string) string {
	if rate <= 0 {
		return ""
	}
	return before + bytesText(int64(rate)) + "/s"
}

// left says how long a run will take at this rate; nothing if that cannot be known.
func (s standing) left(rate float64) string {
	rest := s.expected - s.moved
	if rate <= 0 || rest <= 0 || s.retry.reason != "" { // a run that waits is not slow for good
		return ""
	}
	seconds := float64(rest) / rate
	if seconds > maxLeft.Seconds() {
		return ""
	}
	if seconds < 60 {
		return fmt.Sprintf("%.0f s left", max(1, seconds))
	}
	return secondsText(time.Duration(seconds)*time.Second) + " left"
}

// maxLeft is the longest time that is worth foretelling.
const maxLeft = 1000 * time.Hour

// beside returns the text beside a bar, in so many columns: bytes, rate, time left,
// artifacts done of all, why something is tried again, and what moves. Where there is
// no room for all of it, the rate goes first and the artifacts last.
func (s standing) beside(columns int, rate float64) string {
	done := fmt.Sprintf("%d/%d", s.finished, s.listed)
	all := done
	if s.failed > 0 {
		all += fmt.Sprintf(" (%d failed)", s.failed)
	}
	moved, speed, left, retry := ofText(s.moved, s.expected), perSecond(rate, ""), s.left(rate), s.retry.text()
	for _, parts := range [][]string{{moved, speed, left, all, retry}, {moved, left, all, retry}, {moved, all, retry}, {moved, done, retry},
		{moved, all}, {moved, done}, {done}} {
		text := joined(parts)
		if room := columns - len(text); room >= 0 {
			return strings.TrimSuffix(text+" "+name(s.moving, room-1), " ")
		}
	}
	return clip(done, columns)
}

// leastName is the shortest end of a reference that still says something.
const leastName = 8

func name(text string, columns int) string {
	if columns < leastName {
		return ""
	}
	return clip(text, columns)
}

// joined puts commas between the parts that there are.
func joined(parts []string) string {
	var all []string
	for _, part := range parts {
		if part != "" {
			all = append(all, part)
		}
	}
	return strings.Join(all, ", ")
}

// clip shortens a text at its front to so many columns of a terminal, since
// references differ at their ends. A character may take two columns, or none.
func clip(text string, columns int) string {
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
