package exit

import (
	"fmt"
)

// UsageError says that a command line cannot mean anything.
type UsageError struct {
	fact string
	Hint string // what to type instead; may be empty
}

func (e *UsageError) Error() string { return e.fact }

func Usage(hint, format string, a ...any) error {
	return &UsageError{fact: fmt.Sprintf(format, a...), Hint: hint}
}
