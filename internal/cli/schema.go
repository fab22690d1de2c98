package cli

import (
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/schemas"
)

type schemaCommand struct {
	Of string `arg:"" optional:"" enum:"mirror,report,event,statement" default:"mirror" help:"Print the schema of mirror specs (mirror, the default), of --report (report), of a line of --format json (event), or of statement (statement)."`
}

func (*schemaCommand) Help() string {
	return `Examples:

    oras-mirror schema >mirror.schema.json
    oras-mirror schema | jq .properties.sources
    oras-mirror schema statement >statement.schema.json`
}

func (c *schemaCommand) Run(u *console.Console) error {
	schema := map[string][]byte{"mirror": schemas.Mirror, "report": schemas.Report, "event": schemas.Event, "statement": schemas.Statement}[c.Of]
	_, err := u.Stdout.Write(schema)
	return err
}
