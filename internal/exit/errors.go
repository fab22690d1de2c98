package exit

import (
	"errors"
	"fmt"
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/text"
)

// ErrStdoutClosed reports that a command has output and the process was started without
// a standard output.
var ErrStdoutClosed = errors.New("standard output is closed")

// DriftError reports that an artifact differs from the lock.
type DriftError struct{ Lock, Reference, Reason string }

func (e *DriftError) Error() string {
	return fmt.Sprintf("%s: %s: %s", e.Reference, e.Lock, e.Reason)
}

// WaitingError reports that a lock pins nothing, because all tags are too new for it.
type WaitingError struct {
	Lock string
	Tags int
}

func (e *WaitingError) Error() string {
	return fmt.Sprintf("%s pins no artifact: %s too new", e.Lock, text.Count(e.Tags, "tag"))
}

// IncompleteError reports the artifacts and referrers that the backup of a bundle could
// not get.
type IncompleteError struct {
	Input   string
	Missing []string
	Judged  bool // policies decide about some of them, and may have refused them
}

func (e *IncompleteError) Error() string {
	return fmt.Sprintf("%s is incomplete; missing: %s", e.Input, strings.Join(e.Missing, ", "))
}

// NoLockError reports that a spec has no lock.
type NoLockError struct{ Path string }

func (e *NoLockError) Error() string { return e.Path + ": lock not found" }
