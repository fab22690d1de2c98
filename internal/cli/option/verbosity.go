package option

// LoudnessFlags say how much is told of what a command does.
type LoudnessFlags struct {
	Quiet bool `group:"Run" short:"q" xor:"loudness" help:"Print only errors and hints."`
	NoTTY bool `group:"Run" name:"no-tty" help:"Print lines instead of a progress bar, even on a terminal."`
}
