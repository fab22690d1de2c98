package exit

import (
	"errors"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/store"
)

// Status is an exit code for which everything has been said already.
type Status int

const (
	Failed       Status = 1 // nothing committed
	InvalidUsage Status = 2 // wrong usage or a wrong spec
	Partial      Status = 3 // some artifacts failed, the others are committed
	Drift        Status = 4 // what is there is not what the lock or the spec says
	Unverified   Status = 5 // what is there is damaged
)

func (s Status) Error() string { return "" }

// Code is the table of the README.
func Code(err error) int {
	var told Status
	var stopped *SignalError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &stopped):
		return 128 + int(stopped.Signal)
	case errors.As(err, &told):
		return int(told)
	case Is[*DriftError](err):
		return int(Drift)
	case IsUsage(err):
		return int(InvalidUsage)
	}
	return int(Failed)
}

// IsUsage tells what only another command line or another spec can mend.
func IsUsage(err error) bool {
	return Is[*UsageError](err) || Is[*NoFileError](err) || Is[*NoLockError](err) || Is[*config.LoadError](err) || Is[*config.ReferenceError](err) ||
		Is[*config.MappingError](err) || Is[*engine.CollisionError](err) || Is[*engine.OnlyError](err) || Is[*engine.UnmatchedError](err) ||
		Is[*engine.NameError](err) || Is[*engine.RetagError](err) || Is[*registry.SettingsError](err) || errors.Is(err, store.ErrNoCompression)
}

func Is[E error](err error) bool {
	var target E
	return errors.As(err, &target)
}

// ErrStdoutClosed says that there is nowhere for a product to go.
var ErrStdoutClosed = errors.New("standard output is closed")
