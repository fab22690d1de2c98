package advice

import (
	"errors"

	"github.com/oras-mirror/oras-mirror/engine/merge"
	"github.com/oras-mirror/oras-mirror/store"
)

// inputsHint advises on inputs that do not fit together.
func inputsHint(err error) string {
	var orphan *store.OrphanError
	var clash *store.ClashError
	switch {
	case errors.As(err, &clash) && len(clash.Gaps) > 0:
		return "name the missing base, too: it tells which input replaces the other"
	case is[*store.ClashError](err):
		return "leave one of the two inputs out; if one is a later backup of the other, only a delta (backup --base) replaces its base"
	case errors.As(err, &orphan):
		return "name that, too"
	case is[*merge.OccupiedError](err):
		return "name an empty directory or a new file"
	}
	return ""
}
