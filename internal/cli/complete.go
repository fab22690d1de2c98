package cli

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/oras-mirror/oras-mirror/internal/completion"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

type completeCommand struct {
	Words []string `arg:"" optional:"" help:"Complete the last of these words, which follow the name of the program."`
}

// Run prints the completions of the last word, one a line, with a tab and a description
// if there is one.
func (c *completeCommand) Run(parsed *kong.Context, u *console.Console) error {
	for _, candidate := range completion.Candidates(parsed.Model.Node, c.Words) {
		word, about, _ := strings.Cut(candidate, "\t")
		fmt.Fprintf(u.Stdout, "%s\t%s\n", text.Printable(word), text.Printable(about))
	}
	return nil
}
