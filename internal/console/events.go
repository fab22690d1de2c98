package console

import (
	"cmp"
	"fmt"
	"io"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/progress"
	"github.com/oras-mirror/oras-mirror/internal/report"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// eventScreen is a screen for programs: where the run stands is an event, about
// once a second while it changes. What failed is said on standard error as well.
type eventScreen struct {
	events *report.Events
	errors io.Writer
	pace   progress.Rate
	last   progress.State
}

func (s *eventScreen) Interval() time.Duration { return time.Second }

func (s *eventScreen) Close() {}

func (s *eventScreen) Show(now time.Time, lines []string, at progress.State) {
	for _, line := range lines {
		fmt.Fprintln(s.errors, line)
	}
	if rate := s.pace.Measure(now, at.Moved); at != s.last {
		s.events.Progress(at, rate)
	}
	s.last = at
}

// Begin writes the first event of a command, if events are wanted.
func (u *Console) Begin(command string) error {
	if !u.events {
		return nil
	}
	events, err := report.NewEvents(u.Stdout, u.Secrets.Hide, command)
	if err == nil {
		u.Events = events
	}
	return err
}

// End tells those who listen for events how the run ended, and returns the exit
// code: that of the run, or of a run that could not be told of.
func (u *Console) End(code int) int {
	if u.Events == nil {
		return code
	}
	if err := u.Events.End(code); err != nil {
		u.Print(text.ErrorMark + err.Error())
		return cmp.Or(code, int(exit.Failed))
	}
	return code
}
