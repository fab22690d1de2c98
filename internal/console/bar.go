package console

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/oras-mirror/oras-mirror/internal/progress"
)

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
	pace    progress.Rate
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

func (s *barScreen) Interval() time.Duration { return 100 * time.Millisecond }

func (s *barScreen) Show(now time.Time, lines []string, at progress.State) {
	rate := s.pace.Measure(now, at.Moved)
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

// Close clears the line of the bar.
func (s *barScreen) Close() { fmt.Fprint(s.w, "\r"+clearAll) }

func (s *barScreen) draw(columns int, at progress.State, rate float64) string {
	if at.IsResolving() {
		return s.spin(columns, at.Text(rate))
	}
	width := BarWidth(columns)
	room := columns - width - aroundBar
	if width == 0 {
		return beside(at, columns, rate)
	}
	bar := progressbar.NewOptions64(max(at.Expected, 1), s.options(
		progressbar.OptionSetWidth(width),
		progressbar.OptionSetTheme(progressbar.ThemeASCII),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetDescription(beside(at, room, rate)),
		progressbar.OptionShowDescriptionAtLineEnd(),
	)...)
	_ = bar.Set64(min(at.Moved, at.Expected))
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

// BarWidth returns how much of a line the bar itself takes: none of a narrow one, and all
// that is left of a wide one.
func BarWidth(columns int) int {
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
