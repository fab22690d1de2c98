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

// eventScreen writes the state of a run as a JSON event, once a second while it changes.
// Failures go to standard error as well.
type eventScreen struct {
	events *report.Events
	errors io.Writer
	rate   progress.Rate
	last   progress.State
}

// Interval implements progress.Screen.
func (s *eventScreen) Interval() time.Duration { return time.Second }

// Close implements progress.Screen.
func (s *eventScreen) Close() {}

// Show implements progress.Screen.
func (s *eventScreen) Show(now time.Time, lines []string, at progress.State) {
	for _, line := range lines {
		fmt.Fprintln(s.errors, line)
	}
	if rate := s.rate.Measure(now, at.Moved); at != s.last {
		s.events.Progress(at, rate)
	}
	s.last = at
}

// Begin writes the first event of a command if the options ask for events.
func (c *Console) Begin(command string) error {
	if !c.events {
		return nil
	}
	events, err := report.NewEvents(c.Stdout, c.Secrets.Hide, command)
	if err == nil {
		c.Events = events
	}
	return err
}

// End writes the document of the command or the last event, and returns the exit code of the
// process: code, or Failed if they cannot be written.
func (c *Console) End(code int) int {
	if c.document.of != nil {
		return c.writeDocument(code)
	}
	if c.Events == nil {
		return code
	}
	if err := c.Events.End(code); err != nil {
		c.Print(text.ErrorMark + err.Error())
		return cmp.Or(code, int(exit.Failed))
	}
	return code
}
