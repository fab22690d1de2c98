package main

// loudnessFlags say how much is told of what a command does.
type loudnessFlags struct {
	Quiet bool `group:"Run" short:"q" xor:"loudness" help:"Print only errors and hints."`
	NoTTY bool `group:"Run" name:"no-tty" help:"Print lines instead of a progress bar, even on a terminal."`
}

// eventFlags turn what is told into events for a program.
type eventFlags struct {
	Format string `group:"Run" enum:"text,json" default:"text" placeholder:"text|json" help:"Report progress as text, or as json: one JSON object per event on standard output."`
}

// begin is called before anything is said. A run whose events go nowhere does not begin.
func (f *eventFlags) begin(u *ui, command string) error {
	if f.Format != "json" {
		return nil
	}
	return u.startEvents(command)
}

// filesWritten is standard output, where the events go to it.
func (f *eventFlags) filesWritten() []fileInUse {
	if f.Format != "json" {
		return nil
	}
	return []fileInUse{{"standard output", stdoutPath}}
}
