package exit

import (
	"fmt"
)

const LockAnew = `"oras-mirror lock -f SPEC" locks what is there now`

// DriftError says that something is not what the lock says.
type DriftError struct{ Lock, Reference, Reason string }

func (e *DriftError) Error() string {
	return fmt.Sprintf("%s: %s: %s", e.Reference, e.Lock, e.Reason)
}
