package cli

import (
	"context"
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

// Run prints a page for man(1), all of it from the grammar.
func (manCommand) Run(ctx context.Context, u *console.Console) error {
	parser, err := Grammar()
	if err != nil {
		return err
	}
	_, err = io.WriteString(u.Stdout, manpage.Render(parser.Model.Node, version.Read().Version))
	return err
}
