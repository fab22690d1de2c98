package console

import (
	"fmt"
	"strings"

	"github.com/rivo/uniseg"

	"github.com/oras-mirror/oras-mirror/internal/progress"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// beside returns the text beside a bar: bytes, rate, time left, artifacts, the reason of a
// retry, and the name in transfer. Where the columns do not suffice, it drops the rate first
// and the artifacts last.
func beside(s progress.State, columns int, rate float64) string {
	done := fmt.Sprintf("%d/%d", s.Finished, s.Listed)
	all := done
	if s.Failed > 0 {
		all += fmt.Sprintf(" (%d failed)", s.Failed)
	}
	moved, speed, left, retry := text.BytesOf(s.Moved, s.Expected), text.Rate(rate), s.Left(rate), s.Retry.Text()
	for _, parts := range [][]string{{moved, speed, left, all, retry}, {moved, left, all, retry}, {moved, all, retry}, {moved, done, retry},
		{moved, all}, {moved, done}, {done}} {
		line := text.Join(parts...)
		if room := columns - len(line); room >= 0 {
			return strings.TrimSuffix(line+" "+name(s.Moving, room-1), " ")
		}
	}
	return clip(done, columns)
}

// minName is the length of the shortest useful end of a reference.
const minName = 8

func name(text string, columns int) string {
	if columns < minName {
		return ""
	}
	return clip(text, columns)
}

// clip cuts the beginning of a text to fit the columns of a terminal: references differ at
// their ends. A character may take two columns, or none.
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
