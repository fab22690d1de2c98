package main

import "time"

// loudnessFlags say how much is told of what a command does.
type loudnessFlags struct {
	Quiet bool `group:"Run" short:"q" xor:"loudness" help:"Print only errors and hints."`
	NoTTY bool `group:"Run" name:"no-tty" help:"Print lines instead of a progress bar, even on a terminal."`
}

func (f *loudnessFlags) apply(u *ui) {
	u.quiet = u.quiet || f.Quiet
	if f.NoTTY {
		u.columns = nil
	}
}

// eventFlags turn what is told into events for a program.
type eventFlags struct {
	Format string `group:"Run" enum:"text,json" default:"text" placeholder:"text|json" help:"Report progress as text, or as json: one JSON object per event on standard output."`
}

// begin is called before anything is said.
func (f *eventFlags) begin(u *ui, command string) {
	if f.Format != "json" {
		return
	}
	u.quiet = true
	u.events = &events{w: u.stdout, hide: u.secrets.hide, now: time.Now}
	u.events.start(command)
}

// filesWritten is standard output, where the events go to it.
func (f *eventFlags) filesWritten() []fileInUse {
	if f.Format != "json" {
		return nil
	}
	return []fileInUse{{"standard output", stdoutPath}}
}
