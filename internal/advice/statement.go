package advice

import (
	"errors"
	"io"

	"github.com/oras-mirror/oras-mirror/internal/statement"
)

// statementHint advises on a file that is not a statement of ours, and on an input that differs
// from one.
func statementHint(err error) string {
	var differs *statement.DifferenceError
	switch {
	case errors.As(err, &differs) && differs.IsLock:
		return "check with the lock that was beside the spec when the statement was made"
	case differs != nil:
		return "use the statement that was made of this input; if it is the one, the input was changed: do not use it"
	case is[*statement.SignersError](err):
		return "check with the spec of the statement, and find out why others signed"
	case !is[*statement.FormatError](err):
		return ""
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "the file is truncated: copy it again"
	case is[*statement.KeyError](err):
		return `if a newer oras-mirror wrote it, update this one; else make one with "oras-mirror statement --input PATH"`
	}
	return `make one with "oras-mirror statement --input PATH"; a signature of it is checked by the tool that made it`
}
