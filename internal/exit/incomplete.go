package exit

import (
	"fmt"
	"strings"
)

// IncompleteError says what a bundle lacks that it was made for.
type IncompleteError struct {
	Input   string
	Missing []string
}

func (e *IncompleteError) Error() string {
	return fmt.Sprintf("%s is incomplete; missing: %s", e.Input, strings.Join(e.Missing, ", "))
}
