package cli

import (
	"io"

	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/manpage"
	"github.com/oras-mirror/oras-mirror/internal/version"
)

type manCommand struct{}

func (manCommand) Help() string {
	return `Examples:

    oras-mirror man | man -l -
    oras-mirror man >/usr/local/share/man/man1/oras-mirror.1`
}

// Run prints a page for man(1), rendered from the grammar. It is that of oras-mirror, whatever
// the program is called by.
func (manCommand) Run(u *console.Console) error {
	parser, err := Grammar()
	if err != nil {
		return err
	}
	_, err = io.WriteString(u.Stdout, manpage.Render(parser.Model.Node, version.Read().Version))
	return err
}
