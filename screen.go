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
	quiet     bool      // no heartbeat
	last      time.Time // of the heartbeat
	lastMoved int64
	retried   map[string]time.Time // when it was said of a registry that it is tried again
}

func (s *logScreen) interval() time.Duration { return time.Second }
func (s *logScreen) close()                  {}

func (s *logScreen) show(now time.Time, lines []string, at standing) {
	for _, line := range lines {
		fmt.Fprintln(s.w, line)
	}
	if s.quiet {
		return
	}
	s.tellRetry(now, at.retry)
	switch took := now.Sub(s.last); {
	case s.last.IsZero():
	case took >= heartbeat:
		fmt.Fprintln(s.w, at.text(float64(at.moved-s.lastMoved)/took.Seconds()))
	default:
		return
	}
	s.last, s.lastMoved = now, at.moved
}

// tellRetry says of a registry that it is asked once more, and why, as often as a
// log hears of anything.
func (s *logScreen) tellRetry(now time.Time, r retry) {
	if r.reason == "" || now.Sub(s.retried[r.registry]) < heartbeat {
		return
	}
	if s.retried == nil {
		s.retried = make(map[string]time.Time)
	}
	s.retried[r.registry] = now
	fmt.Fprintln(s.w, note+r.registry+": "+r.text())
}

// barScreen is a terminal: a bar at the bottom, finished artifacts above it.
//
// The cursor rests at the beginning of the bar. When the window gets narrower the
// terminal may break the bar into several lines; what is below the cursor is then
// all that has to go. Whatever changes is one write, so that nothing flickers.
type barScreen struct {
	w       io.Writer
	columns func() int
	spinner *progressbar.ProgressBar // until it is known that bytes move
	frame   bytes.Buffer             // what progressbar draws
	pace    pace
	drawn   string
	width   int // for which it was drawn
}

const (
	clearBelow = "\033[J"
	clearLine  = "\033[K"
	// From the beginning of a line on. tmux keeps in its history what is cleared from the
	// first cell of a window on, and a bar would stay there; so that cell is left to the end.
	clearAll = " " + clearBelow + "\r" + clearLine
	// A window may become narrower between the question how wide it is and what is
	// drawn by the answer: then the bar is cut off, and not broken into two lines, of
	// which one would stay (DECAWM).
	noWrap, wrap = "\033[?7l", "\033[?7h"
	// A bar of progressbar has so much around it: " 42% [", "]  " and a space at the end.
	aroundBar = 10
	// Around a spinner, its own column included.
	aroundSpinner = 4
)

func (s *barScreen) interval() time.Duration { return 100 * time.Millisecond }

func (s *barScreen) show(now time.Time, lines []string, at standing) {
	rate := s.pace.measure(now, at.moved)
	columns := s.columns() - 1 // in the last one a terminal may go to the next line
	text := s.draw(columns, at, rate)
	if len(lines) == 0 && text == s.drawn && columns == s.width {
		return
	}
	var out bytes.Buffer
	out.WriteString("\r")
	if len(lines) > 0 {
		out.WriteString(clearAll)
	}
	for _, line := range lines {
		out.WriteString(wrapped(line, columns) + "\n")
	}
	out.WriteString(noWrap + text + wrap + clearBelow + "\r")
	_, _ = s.w.Write(out.Bytes())
	s.drawn, s.width = text, columns
}

// close clears the line of the bar.
func (s *barScreen) close() { fmt.Fprint(s.w, "\r"+clearAll) }

func (s *barScreen) draw(columns int, at standing, rate float64) string {
	if at.isResolving() {
		return s.spin(columns, at.text(rate))
	}
	width := barWidth(columns)
	room := columns - width - aroundBar
	if width == 0 {
		return at.beside(columns, rate)
	}
	bar := progressbar.NewOptions64(max(at.expected, 1), s.options(
		progressbar.OptionSetWidth(width),
		progressbar.OptionSetTheme(progressbar.ThemeASCII),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetDescription(at.beside(room, rate)),
		progressbar.OptionShowDescriptionAtLineEnd(),
	)...)
	_ = bar.Set64(min(at.moved, at.expected))
	_ = bar.RenderBlank()
	return s.drawing()
}

// spin turns the spinner: one line, though nobody knows how long.
func (s *barScreen) spin(columns int, text string) string {
	if s.spinner == nil {
		s.spinner = progressbar.NewOptions64(-1, s.options(
			progressbar.OptionSpinnerType(14),
			progressbar.OptionSetSpinnerChangeInterval(0),
			progressbar.OptionSetElapsedTime(false),
		)...)
	}
	s.spinner.Describe(clip(text, columns-aroundSpinner))
	return s.drawing()
}

// drawing takes the last line that progressbar drew, and forgets the others.
func (s *barScreen) drawing() string {
	all := bytes.TrimRight(s.frame.Bytes(), " ")
	text := string(all[bytes.LastIndexByte(all, '\r')+1:])
	s.frame.Reset()
	return text
}

// besideBar is as much as is worth writing beside a bar.
const besideBar = 100

// barWidth returns how much of a line the bar itself takes: none of a narrow one, and all
// that is left of a wide one.
func barWidth(columns int) int {
	if columns < 30 {
		return 0
	}
	return max(columns/8, columns-aroundBar-besideBar)
}

// options leave out colours, so that NO_COLOR has nothing to ask for, and the
// goroutine that progressbar would turn its spinner with.
func (s *barScreen) options(more ...progressbar.Option) []progressbar.Option {
	return append([]progressbar.Option{
		progressbar.OptionSetWriter(&s.frame),
		progressbar.OptionSetRenderBlankState(false),
	}, more...)
}
