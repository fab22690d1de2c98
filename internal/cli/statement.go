package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/statement"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/internal/version"
	"github.com/oras-mirror/oras-mirror/store"
)

type statementCommand struct {
	option.InputFlags
}

func (c *statementCommand) Help() string {
	return `Prints an in-toto Statement with the digests of the files, of index.json and of every artifact. Sign it with ssh-keygen, cosign or openssl; "verify --statement" holds a bundle against it. It hashes the files and reads no blob: verify the bundle first.

Examples:

    oras-mirror statement --input bundle.tgz > bundle.json
    oras-mirror statement --input ./mirror > mirror.json
    oras-mirror verify --input bundle.tgz --statement bundle.json`
}

// Run prints a statement about the inputs.
func (c *statementCommand) Run(ctx context.Context, u *console.Console) error {
	u.Advise(func(h *advice.Hints) { h.OnlyInput = true })
	if slices.Contains(c.Input, "-") {
		return exit.Usage("save the archive to a file first", "a statement about standard input would lack the digest of the file")
	}
	in, err := openInput(ctx, &c.InputFlags, u)
	if err != nil {
		return err
	}
	content, err := c.content(u, in)
	if err = errors.Join(err, in.Close()); err != nil {
		return err
	}
	_, err = content.WriteTo(u.Stdout)
	return err
}

// content returns what is stated about an input. Nothing is stated about one that lacks parts.
func (c *statementCommand) content(u *console.Console, in store.Input) (*statement.Content, error) {
	if lacking := sayFaults(u, in); lacking != nil {
		return nil, lacking
	}
	content, err := statement.Of(in.Index())
	if err != nil {
		return nil, err
	}
	content.Version = version.Read().Version
	content.Files, err = hashInputs(&c.InputFlags)
	return content, err
}

// hashInputs hashes the files that the flags name.
func hashInputs(f *option.InputFlags) ([]statement.File, error) {
	paths, err := option.ExpandInputs(f.Input)
	if err != nil {
		return nil, err
	}
	files, err := statement.HashFiles(slices.DeleteFunc(paths, func(path string) bool { return path == "-" }))
	if pipe, is := errors.AsType[*statement.PipeError](err); is {
		return nil, exit.Usage("save the archive to a file first", "%v", pipe)
	}
	return files, err
}

// maxDifferences bounds the differences from a statement that are printed.
const maxDifferences = 50

// sayDifferences prints how an input differs from a statement, and reports whether it does.
func sayDifferences(u *console.Console, path string, stated, found *statement.Content) bool {
	all := statement.Compare(path, stated, found)
	for _, err := range all[:min(len(all), maxDifferences)] {
		u.Fail(err)
	}
	if more := len(all) - maxDifferences; more > 0 {
		u.Say("%s more differ from %s", text.Thousands(more), path)
	}
	return len(all) > 0
}
