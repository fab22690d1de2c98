package main

import (
	"errors"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/schemas"
)

// loadSpec reads the spec that -f names; nil if it names none.
func loadSpec(path string) (*config.Spec, error) {
	if path == "" {
		return nil, nil
	}
	return config.Load(path)
}

type validateCommand struct {
	Spec string `short:"f" name:"file" required:"" placeholder:"SPEC" help:"The mirror spec."`
}

// Run checks all that a spec says, and the lists that it names. What only the
// environment can say, ${VAR}, is not asked for.
func (c *validateCommand) Run(u *ui) error {
	spec, err := config.Load(c.Spec)
	if err != nil {
		return err
	}
	_, selections := spec.Selections()
	_, mapper := spec.Mapper()
	if err := errors.Join(selections, mapper); err != nil {
		return err
	}
	u.say("%s is valid: %s, %s, %s", c.Spec, count(len(spec.Sources), "source"),
		count(len(spec.Mappings), "mapping"), count(len(spec.Targets), "target"))
	return nil
}

type schemaCommand struct{}

func (schemaCommand) Run(u *ui) error {
	_, err := u.stdout.Write(schemas.Mirror)
	return err
}
