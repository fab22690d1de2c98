package cli

import (
	"fmt"

	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/report"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/internal/version"
)

type versionCommand struct {
	Format string `enum:"text,json" default:"text" placeholder:"text|json" help:"Print text or json."`
}

func (versionCommand) Help() string {
	return `Examples:

    oras-mirror version
    oras-mirror version --format json`
}

func (c versionCommand) Run(u *console.Console) error {
	info := version.Read()
	if c.Format == "json" {
		return text.WriteJSON(u.Stdout, struct {
			report.Header
			version.Info
		}{report.NewHeader("Version"), info})
	}
	_, err := fmt.Fprintf(u.Answer(), "oras-mirror %s (%s, %s)\n", info.Version, info.Go, info.Platform)
	return err
}
