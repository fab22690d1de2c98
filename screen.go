package main

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// heartbeat is how often a log hears that a run is alive. CI systems end a job
// that has been silent for some minutes.
const heartbeat = 30 * time.Second

// logScreen is a screen where nothing can be taken back: a file, a pipe, a CI
// system.
type logScreen struct {
	w         io.Writer
	last      time.Time // of the heartbeat
	lastMoved int64
}

func (s *logScreen) interval() time.Duration { return time.Second }
func (s *logScreen) close()                  {}

func (s *logScreen) show(now time.Time, lines []string, at standing) {
	for _, line := range lines {
		fmt.Fprintln(s.w, printable(line))
	}
	switch took := now.Sub(s.last); {
	case s.last.IsZero():
	case took >= heartbeat:
		fmt.Fprintln(s.w, at.text(float64(at.moved-s.lastMoved)/took.Seconds()))
	default:
		return
	}
	s.last, s.lastMoved = now, at.moved
}

// text says where a run stands; rate is in bytes a second.
func (s standing) text(rate float64) string {
	if s.listed == 0 && s.moved > 0 {
		return bytesText(s.moved) + " hashed"
	}
	if s.expected == 0 {
		return fmt.Sprintf("resolved %s of %s references", thousands(s.resolved), thousands(s.listed))
	}
	text := fmt.Sprintf("%s of %s artifacts", thousands(s.finished), thousands(s.listed))
	if s.failed > 0 {
		text += fmt.Sprintf(", %s failed", thousands(s.failed))
	}
	text += fmt.Sprintf(", %s of %s, %s/s", bytesText(s.moved), bytesText(s.expected), bytesText(int64(rate)))
	if left := s.expected - s.moved; rate > 0 && left > 0 {
		text += ", about " + secondsText(time.Duration(float64(left)/rate*float64(time.Second))) + " left"
	}
	return text
}

// barScreen is a terminal: a bar at the bottom, finished artifacts above it.
type barScreen struct {
	w       io.Writer
	columns func() int
	frame   bytes.Buffer             // what progressbar draws, at every change of anything
	spinner *progressbar.ProgressBar // until it is known that bytes move
	bar     *progressbar.ProgressBar
}

// The bar itself and what progressbar writes around it take at most so many
// columns: percent, bytes of bytes, rate, time gone and left.
const (
	barWidth  = 8
	barMargin = barWidth + 54
)

func (s *barScreen) interval() time.Duration { return 100 * time.Millisecond }

func (s *barScreen) show(_ time.Time, lines []string, at standing) {
	if len(lines) > 0 {
		s.close()
	}
	for _, line := range lines {
		fmt.Fprintln(s.w, printable(line))
	}
	if at.expected == 0 {
		s.resolving(at)
	} else {
		s.transferring(at)
	}
	// The last line drawn is the one that counts.
	_, _ = s.w.Write(s.frame.Bytes()[max(0, bytes.LastIndexByte(s.frame.Bytes(), '\r')):])
	s.frame.Reset()
}

// close clears the line of the bar.
func (s *barScreen) close() { fmt.Fprint(s.w, "\r\033[2K") }

func (s *barScreen) resolving(at standing) {
	if s.spinner == nil {
		s.spinner = progressbar.NewOptions64(-1, s.options()...)
	}
	s.spinner.Describe(clip(at.text(0), s.columns()-12))
}

func (s *barScreen) transferring(at standing) {
	if s.bar == nil {
		s.bar = progressbar.NewOptions64(at.expected+1, s.options(
			progressbar.OptionSetWidth(barWidth),
			progressbar.OptionSetTheme(progressbar.ThemeASCII),
			progressbar.OptionShowBytes(true), // bytes: how many, of how many, a second
			progressbar.OptionShowCount(),
			progressbar.OptionUseIECUnits(true),
		)...)
	}
	// One byte more than there is: a bar that was full once shows nothing more,
	// and the plan may still grow.
	s.bar.ChangeMax64(at.expected + 1)
	_ = s.bar.Set64(min(at.moved, at.expected))
	s.bar.Describe(at.bar(s.columns() - barMargin))
}

// bar is what stands before a bar: artifacts done of all, and what moves, as
// far as there is room for it.
func (s standing) bar(columns int) string {
	text := fmt.Sprintf("%d/%d", s.done(), s.listed)
	if s.failed > 0 {
		text += fmt.Sprintf(" (%d failed)", s.failed)
	}
	return text + " " + clip(s.moving, columns-len(text)-1)
}

// options leave out colours, so that NO_COLOR has nothing to ask for, and the
// goroutine that progressbar would turn its spinner with.
func (s *barScreen) options(more ...progressbar.Option) []progressbar.Option {
	return append([]progressbar.Option{
		progressbar.OptionSetWriter(&s.frame),
		progressbar.OptionSpinnerType(14),
		progressbar.OptionSetSpinnerChangeInterval(0),
		progressbar.OptionUseANSICodes(true),
	}, more...)
}

// clip shortens a text at its front, since references differ at their ends.
func clip(text string, columns int) string {
	runes := []rune(text)
	if len(runes) <= columns {
		return text
	}
	if columns < 2 {
		return ""
	}
	return "…" + string(runes[len(runes)-columns+1:])
}
