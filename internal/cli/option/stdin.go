package option

import (
	"github.com/oras-mirror/oras-mirror/internal/exit"
)

// Stdin records the use of standard input, which can be read only once.
type Stdin struct{ use string }

// Claim records a use. It fails if there is another one.
func (s *Stdin) Claim(use string) error {
	if s.use != "" {
		return exit.Usage("", "standard input cannot be used for both %s and %s", s.use, use)
	}
	s.use = use
	return nil
}
