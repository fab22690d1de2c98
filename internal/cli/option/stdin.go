package option

import (
	"github.com/oras-mirror/oras-mirror/internal/exit"
)

// Stdin notes what standard input is used for: it can be read once.
type Stdin struct{ stdin string }

func (s *Stdin) ReadBy(what string) error {
	if s.stdin != "" {
		return exit.Usage("", "standard input cannot be used for both %s and %s", s.stdin, what)
	}
	s.stdin = what
	return nil
}
