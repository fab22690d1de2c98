package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/migrate"
)

// maxConverted bounds the file of another tool, as a spec is bounded.
const maxConverted = 64 << 20

// converted returns the spec that the file of another tool becomes, and prints what it does
// not say.
func (c *initCommand) converted(u *console.Console) (content string, sources int, err error) {
	if len(c.References) > 0 || len(c.Input) > 0 {
		return "", 0, exit.Usage("add them to the new spec by hand", "--from converts one file, and takes neither references nor --input")
	}
	name, data, err := c.readFrom(u)
	if err != nil {
		return "", 0, err
	}
	result, err := migrate.Read(name, data)
	if err != nil {
		return "", 0, err
	}
	for _, n := range result.Notes {
		u.Notice("%s:%d: %v", name, n.Line, n)
	}
	if result.Sources() == 0 {
		u.Notice("%s has no source that a mirror spec can have", name)
	}
	return schemaLine + result.Spec(name), result.Sources(), nil
}

// readFrom returns the content of the file to convert, and its name in messages.
func (c *initCommand) readFrom(u *console.Console) (name string, data []byte, err error) {
	if c.From == "-" {
		data, err = io.ReadAll(io.LimitReader(u.Stdin, maxConverted+1))
		return "standard input", data, cmp.Or(err, tooLarge("standard input", data))
	}
	if err := exit.CheckFiles(c.From); err != nil {
		return c.From, nil, err
	}
	f, err := os.Open(c.From)
	if err != nil {
		return c.From, nil, err
	}
	data, err = io.ReadAll(io.LimitReader(f, maxConverted+1))
	return c.From, data, cmp.Or(errors.Join(err, f.Close()), tooLarge(c.From, data))
}

func tooLarge(name string, data []byte) error {
	if len(data) > maxConverted {
		return fmt.Errorf("%s is larger than %d MiB", name, maxConverted>>20)
	}
	return nil
}
