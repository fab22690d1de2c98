package advice

import (
	"errors"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/store/delta"
)

// baseHint tells how a delta and its base come together.
func baseHint(err error) string {
	var needs *engine.NeedsBaseError
	switch {
	case errors.As(err, &needs):
		return "restore " + needs.Base + " first, or name it with another --input"
	case is[*engine.DeltaOutputError](err):
		return "name its base with --base, or choose another output"
	case is[*engine.FullOutputError](err):
		return "omit --base to add to it, or choose another output"
	case is[*engine.BaseChangedError](err):
		return "run the same command again: it goes on with the new base"
	case is[*delta.Error](err):
		return "copy the delta again"
	}
	return ""
}
