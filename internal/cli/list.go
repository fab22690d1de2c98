package cli

import (
	"context"
	"errors"

	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/inventory"
	"github.com/oras-mirror/oras-mirror/internal/report"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

type listCommand struct {
	option.InputFlags
	Format string `enum:"text,json" default:"text" placeholder:"text|json" help:"Print text or json."`
}

func (c *listCommand) Help() string {
	return `Counts signatures among the referrers and reads none of them: "verify -f" shows who signed, and so does a lock.

Examples:

    oras-mirror list --input bundle.tgz
    oras-mirror list --input 'bundle.*.tgz'
    oras-mirror list --input monday.tgz --input tuesday.tgz
    oras-mirror list --input ./mirror --format json`
}

func (c *listCommand) Run(ctx context.Context, u *console.Console) error {
	u.Advise(func(h *advice.Hints) { h.OnlyInput = true })
	in, err := openInput(ctx, &c.InputFlags, u, nil)
	if err != nil {
		return err
	}
	for _, err := range store.Faults(in) { // each part lists everything
		u.Notice("%v", err)
	}
	list, err := inventory.List(ctx, in)
	if err = errors.Join(err, in.Close()); err != nil {
		return err
	}
	list.Input = c.Name()
	if c.Format == "json" {
		err = text.WriteJSON(u.Stdout, struct {
			report.Header
			*inventory.Listing
		}{report.NewHeader("ArtifactList"), list})
	} else {
		err = list.Print(u.Stdout)
	}
	return errors.Join(err, concludeList(u, list))
}

// noticeDelta says that an input is a delta, and where its other blobs are.
func noticeDelta(u *console.Console, input string, bases []string) {
	verb := "has"
	if len(bases) > 1 {
		verb = "have"
	}
	u.Notice("%s is a delta: %s %s the other blobs", input, text.Printable(oci.NamesOfBases(bases)), verb)
}

// concludeList prints the faults that a listing finds.
func concludeList(u *console.Console, l *inventory.Listing) error {
	if len(l.Base) > 0 {
		noticeDelta(u, l.Input, l.Base)
	}
	if len(l.Missing) > 0 {
		u.Notice("%v", &exit.IncompleteError{Input: l.Input, Missing: l.Missing})
	}
	for _, err := range l.Faults {
		u.Fail(err)
	}
	if len(l.Faults) > 0 {
		return exit.Partial
	}
	return nil
}
