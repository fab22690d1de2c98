package console

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/oras-mirror/oras-mirror/internal/progress"
)

// barScreen shows a bar in the last line of a terminal and finished artifacts above it.
//
// The cursor rests at the beginning of the bar: when the window becomes narrower, the
// terminal may wrap the bar, and clearing everything below the cursor removes all of it.
// Each change is one write, so that nothing flickers.
type barScreen struct {
	w       io.Writer
	columns func() int
	spinner *progressbar.ProgressBar // shown until bytes move
	frame   bytes.Buffer             // receives the output of progressbar
	rate    progress.Rate
	drawn   string
	width   int // columns that drawn was made for
}

const (
	clearBelow = "\033[J"
	clearLine  = "\033[K"
	// clearAll clears from the beginning of a line. tmux moves everything that is cleared from
	// the first cell of a window to its history, and the bar with it; so the first cell is
	// cleared last.
	clearAll = " " + clearBelow + "\r" + clearLine
	// The window may become narrower after its width is read and before the bar is drawn:
	// without wrapping (DECAWM) the bar is cut off instead of leaving a second line.
	noWrap, wrap = "\033[?7l", "\033[?7h"
	// aroundBar is the width that progressbar adds: " 42% [", "]  " and a space at the end.
	aroundBar = 10
	// aroundSpinner is the same for a spinner, with its own column.
	aroundSpinner = 4
)

// Interval implements progress.Screen.
func (s *barScreen) Interval() time.Duration { return 100 * time.Millisecond }

// Show implements progress.Screen.
func (s *barScreen) Show(now time.Time, lines []string, at progress.State) {
	rate := s.rate.Measure(now, at.Moved)
	columns := s.columns() - 1 // a terminal may wrap after the last column
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

// spin draws the next state of the spinner, which has no known end.
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

// drawing returns the last line that progressbar drew, and discards the others.
func (s *barScreen) drawing() string {
	all := bytes.TrimRight(s.frame.Bytes(), " ")
	text := string(all[bytes.LastIndexByte(all, '\r')+1:])
	s.frame.Reset()
	return text
}

// besideBar is the width of the text beside a bar in a wide window.
const besideBar = 100

// BarWidth returns the width of the bar itself: none in a narrow window, and in a wide one
// everything that besideBar leaves.
func BarWidth(columns int) int {
	if columns < 30 {
		return 0
	}
	return max(columns/8, columns-aroundBar-besideBar)
}

// options returns options without colours, so NO_COLOR does not matter, and without the
// goroutine of progressbar that turns a spinner.
func (s *barScreen) options(more ...progressbar.Option) []progressbar.Option {
	return append([]progressbar.Option{
		progressbar.OptionSetWriter(&s.frame),
		progressbar.OptionSetRenderBlankState(false),
	}, more...)
}
