package cli

import (
	"context"
	"slices"

	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/statement"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store"
)

// claim is a statement that an input is held against; nil without one.
type claim struct {
	path    string
	content *statement.Content
	piped   *statement.Hashing // standard input, if that is an input
}

// readStatement reads the statement of --statement. It has standard input hashed, which can be
// read only once, if that is an input.
func (c *verifyCommand) readStatement(u *console.Console) (*claim, error) {
	if c.Statement == "" {
		return nil, nil
	}
	if c.Statement == "-" {
		return c.readStatementFromStdin(u)
	}
	if err := exit.CheckFiles(c.Statement); err != nil {
		return nil, err
	}
	content, err := statement.Open(c.Statement)
	s := &claim{path: c.Statement, content: content}
	if err == nil && c.HasStdin() {
		s.piped = statement.Hash(u.Stdin)
		u.Stdin = s.piped
	}
	return s, err
}

func (c *verifyCommand) readStatementFromStdin(u *console.Console) (*claim, error) {
	var stdin option.Stdin
	if err := c.Claim(&stdin, u.StdinTerminal); err != nil {
		return nil, err
	}
	if err := stdin.Claim("--statement -"); err != nil {
		return nil, err
	}
	if u.StdinTerminal {
		return nil, exit.Usage("pipe a statement into it", "standard input is a terminal")
	}
	const name = "standard input"
	content, err := statement.Read(name, u.Stdin)
	return &claim{path: name, content: content}, err
}

// differ prints how an input that was read differs from the statement, and reports whether it
// does. signed has the signers of artifacts, if they were checked.
func (s *claim) differ(ctx context.Context, u *console.Console, in store.Input, f *option.InputFlags, by judge, signed []signature) (bool, error) {
	if s == nil {
		return false, nil
	}
	found, err := statement.Of(in.Index())
	if err != nil {
		return false, err
	}
	found.Lock = by.lock
	if found.Files, err = hashInputs(ctx, u, f, by.spec); err != nil {
		return false, err
	}
	if s.piped != nil {
		if err := s.piped.Rest(ctx); err != nil {
			return false, err
		}
		found.Files = append(found.Files, s.piped.File("-"))
	}
	all := statement.Compare(s.path, s.content, found)
	switch {
	case by.policies != nil:
		all = append(all, s.otherSigners(found, signed)...)
	case s.content.HasSigners():
		u.Say("%s states who signed artifacts: add -f SPEC to check that", s.path)
	}
	if lock := s.content.Lock; lock != nil && by.spec != nil && by.lock == nil {
		u.Notice("%s states the lock %s, which is not compared: %s does not exist", s.path, text.Printable(lock.Name), by.lockPath)
	}
	sayDifferences(u, s.path, all)
	if len(all) == 0 {
		u.Say("%s is what %s states: %s", f.Name(), s.path, text.Count(len(stated(found)), "artifact"))
	}
	return len(all) > 0, nil
}

// otherSigners returns the artifacts that others signed than the statement says. Those that no
// policy accepts have an error already.
func (s *claim) otherSigners(found *statement.Content, signed []signature) []error {
	var refused []string
	for _, a := range signed {
		if a.Err != nil {
			refused = append(refused, a.Reference)
		}
		found.SetSigners(a.Reference, a.SignedBy)
	}
	slices.Sort(refused)
	var all []error
	for _, err := range statement.CompareSigners(s.path, s.content, found) {
		if _, known := slices.BinarySearch(refused, err.Reference); !known {
			all = append(all, err)
		}
	}
	return all
}

// maxDifferences bounds the differences from a statement that are printed.
const maxDifferences = 50

// sayDifferences prints how an input differs from a statement.
func sayDifferences(u *console.Console, path string, all []error) {
	for _, err := range all[:min(len(all), maxDifferences)] {
		u.Fail(err)
	}
	if more := len(all) - maxDifferences; more > 0 {
		u.Say("%s more differ from %s", text.Thousands(more), path)
		u.Keep(all[maxDifferences:])
	}
}
