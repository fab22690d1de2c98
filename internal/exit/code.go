// Package exit decides how the program ends: the exit codes, the errors that lead to
// them, and what a signal does. Every command returns an error; Code turns it into the
// number that a script sees.
package exit

import (
	"errors"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/internal/migrate"
	"github.com/oras-mirror/oras-mirror/internal/statement"
	"github.com/oras-mirror/oras-mirror/internal/trust"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/parts"
)

// Status is an exit code in the form of an error, for a command that has printed its
// errors already.
type Status int

// The exit codes of a failed command. README.md has the table, with 0 and the signals.
const (
	Failed       Status = 1 // nothing is committed
	InvalidUsage Status = 2 // the command line or the spec is invalid
	Partial      Status = 3 // some artifacts failed, the others are committed
	Drift        Status = 4 // the content differs from the lock or the spec
	Unverified   Status = 5 // the content is damaged or incomplete
)

func (s Status) Error() string { return "" }

// Code returns the exit code of a command that ended with err.
func Code(err error) int {
	var status Status
	var stopped *SignalError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &stopped):
		return 128 + int(stopped.Signal)
	case errors.As(err, &status):
		return int(status)
	case is[*DriftError](err):
		return int(Drift)
	case IsUsage(err):
		return int(InvalidUsage)
	}
	return int(Failed)
}

// IsUsage reports whether an error is in the command line or the spec: to run the same
// command again cannot help.
func IsUsage(err error) bool {
	return is[*UsageError](err) || isNoFile(err) || is[*NoLockError](err) || is[*config.LoadError](err) || is[*config.ReferenceError](err) ||
		is[*config.MappingError](err) || is[*engine.CollisionError](err) || is[*engine.OnlyError](err) || is[*engine.UnmatchedError](err) ||
		is[*engine.NameError](err) || is[*engine.DeltaOutputError](err) || is[*engine.FullOutputError](err) || is[*engine.RetagError](err) || is[*registry.SettingsError](err) || errors.Is(err, store.ErrNoCompression) ||
		is[*migrate.UnknownError](err) || is[*migrate.SyntaxError](err) || is[*parts.SizeError](err) || is[*disk.StrangerError](err) || is[*store.ClashError](err) || is[*store.OrphanError](err) || errors.Is(err, store.ErrNoParts) || is[*trust.PolicyError](err) || is[*statement.FormatError](err)
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
