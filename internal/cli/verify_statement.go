package cli

import (
	"errors"

	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/statement"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store"
)

// stated is a statement that an input is held against; nil without one.
type stated struct {
	path    string
	content *statement.Content
	piped   *statement.Hashing // standard input, if that is an input
}

// readStatement reads the statement of --statement. It has standard input hashed, which can be
// read only once.
func (c *verifyCommand) readStatement(u *console.Console) (*stated, error) {
	if c.Statement == "" {
		return nil, nil
	}
	content, err := statement.Read(c.Statement)
	if _, invalid := errors.AsType[*statement.FormatError](err); invalid {
		return nil, exit.Usage(`make one with "oras-mirror statement --input PATH"; a signature of it is checked by the tool that made it`, "%v", err)
	}
	s := &stated{path: c.Statement, content: content}
	if err == nil && c.HasStdin() {
		s.piped = statement.Hash(u.Stdin)
		u.Stdin = s.piped
	}
	return s, err
}

// differ prints how an input that was read differs from the statement, and reports whether it
// does.
func (s *stated) differ(u *console.Console, in store.Input, f *option.InputFlags) (bool, error) {
	if s == nil {
		return false, nil
	}
	found, err := statement.Of(in.Index())
	if err != nil {
		return false, err
	}
	if found.Files, err = hashInputs(f); err != nil {
		return false, err
	}
	if s.piped != nil {
		if err := s.piped.Rest(); err != nil {
			return false, err
		}
		found.Files = append(found.Files, s.piped.File("-"))
	}
	if sayDifferences(u, s.path, s.content, found) {
		return true, nil
	}
	u.Say("%s is what %s states: %s", f.Name(), s.path, text.Count(len(found.Artifacts), "artifact"))
	return false, nil
}
