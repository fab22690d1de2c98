package cli

import (
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/schemas"
)

type schemaCommand struct{}

func (schemaCommand) Help() string {
	return `Examples:

    oras-mirror schema >mirror.schema.json
    oras-mirror schema | jq .properties.sources`
}

func (schemaCommand) Run(u *console.Console) error {
	_, err := u.Stdout.Write(schemas.Mirror)
	return err
}
