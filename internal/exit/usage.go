package exit

import "fmt"

// UsageError reports an invalid command line.
type UsageError struct {
	fact string
	Hint string // what to type instead; may be empty
}

func (e *UsageError) Error() string { return e.fact }

// Usage returns a UsageError with a hint and a formatted message.
func Usage(hint, format string, a ...any) error {
	return &UsageError{fact: fmt.Sprintf(format, a...), Hint: hint}
}
