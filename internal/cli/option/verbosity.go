package option

// VerbosityFlags select how much a command prints.
type VerbosityFlags struct {
	Quiet bool `group:"Run" short:"q" xor:"verbosity" help:"Print only errors and hints."`
	NoTTY bool `group:"Run" name:"no-tty" help:"Print lines instead of a progress bar, even on a terminal."`
}

// Verbosity reports whether only errors and hints are printed, and whether progress is
// printed as lines.
func (f *VerbosityFlags) Verbosity() (quiet, plain bool) { return f.Quiet, f.NoTTY }
