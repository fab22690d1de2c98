package cli

import (
	"fmt"

	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/schemas"
)

type schemaCommand struct {
	Name string `arg:"" optional:"" enum:"mirror,report,event,list,plan,diff,verify,validate,prune,images,version,statement,lock,part,prune-list" default:"mirror" help:"Print the schema of a mirror spec (mirror, the default), of --report (report), of an event of --format json (event), or of what a command prints with --format json (list, plan, diff, verify, validate, prune, images, version), of statement (statement), of a lock (lock), of part.json in a bundle in parts (part), or of prune.json in a bucket (prune-list)."`
}

func (*schemaCommand) Help() string {
	return `Examples:

    oras-mirror schema >mirror.schema.json
    oras-mirror schema | jq .properties.sources
    oras-mirror schema statement >statement.schema.json`
}

func (c *schemaCommand) Run(u *console.Console) error {
	schema, ok := schemas.Of(c.Name)
	if !ok {
		return fmt.Errorf("schema not found: %s", c.Name)
	}
	_, err := u.Stdout.Write(schema)
	return err
}
