package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"text/tabwriter"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/store"
)

type listCommand struct {
	inputFlags
	Format string `enum:"text,json" default:"text" placeholder:"text|json" help:"Print text, or json."`
}

func (c *listCommand) Help() string {
	return `Examples:

    oras-mirror list --input bundle.tgz
    oras-mirror list --input ./mirror --format json`
}

func (c *listCommand) Run(ctx context.Context, u *ui) error {
	u.hints.reads = true
	in, err := openInput(&c.inputFlags, u)
	if err != nil {
		return err
	}
	list, err := listInput(ctx, in)
	if err = errors.Join(err, in.Close()); err != nil {
		return err
	}
	list.Input = c.Input
	if c.Format == "json" {
		err = printJSON(u.Stdout, list)
	} else {
		err = list.print(u.Stdout)
	}
	return errors.Join(err, concludeList(u, list))
}

// concludeList says what is wrong with the layout, as far as a listing can tell.
func concludeList(u *ui, l *listing) error {
	if len(l.Missing) > 0 {
		u.notice("%v", &incompleteError{l.Input, l.Missing})
	}
	for _, err := range l.Faults {
		u.fail(err)
	}
	if len(l.Faults) > 0 {
		return statusPartial
	}
	return nil
}

// openInput opens the input of a command that has no other use for a stream.
func openInput(f *inputFlags, u *ui) (store.Input, error) {
	if err := f.claim(&streams{}, u.StdinTerminal); err != nil {
		return nil, err
	}
	return f.open(u.Stdin, u.spooling)
}

// print writes the listing as a table.
func (l *listing) print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "REFERENCE\tDIGEST\tSIZE\tREFERRERS\tPLATFORMS")
	for _, a := range l.Artifacts {
		name := a.Reference
		if name == "" {
			name = "-"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\n", printable(name), printable(short(a.Digest.String())),
			bytesText(a.Size), a.count(), printable(a.platforms()))
	}
	return table.Flush()
}

func (a *listed) platforms() string {
	text := strings.Join(a.Platforms, ",")
	if a.Sparse {
		text += " (sparse)"
	}
	return text
}

// short is a digest as docker shows it: enough to tell two apart by eye.
func short(digest string) string {
	algorithm, hex, _ := strings.Cut(digest, ":")
	return algorithm + ":" + hex[:min(len(hex), 12)]
}

type verifyCommand struct {
	inputFlags
	loudnessFlags
}

func (c *verifyCommand) Help() string {
	return `Examples:

    oras-mirror verify --input bundle.tgz
    cat bundle.tgz | oras-mirror verify --input -`
}

func (c *verifyCommand) Run(ctx context.Context, u *ui) error {
	u.limit(c.Quiet, c.NoTTY)
	u.hints.reads = true
	in, err := openInput(&c.inputFlags, u)
	if err != nil {
		return c.damaged(u, err)
	}
	p := u.startProgress()
	v, err := verifyInput(ctx, in, store.VerifyOptions{Progress: p.Moved})
	p.close()
	if err = errors.Join(err, in.Close()); err != nil {
		return c.damaged(u, err)
	}
	for _, f := range v.Faults {
		u.fail(faultError(f))
	}
	missing := engine.Missing(in.Index())
	if len(missing) > 0 {
		u.fail(&incompleteError{c.Input, missing})
	}
	u.say("%s", verified(c.Input, v, len(missing) > 0))
	switch {
	case len(v.Faults) > 0:
		return statusUnverified
	case len(missing) > 0:
		return statusPartial
	}
	return nil
}

// incompleteError says what a bundle lacks that it was made for.
type incompleteError struct {
	input   string
	missing []string
}

func (e *incompleteError) Error() string {
	return fmt.Sprintf("%s is incomplete; missing: %s", e.input, strings.Join(e.missing, ", "))
}

// damaged is an input that is there and cannot be read as a layout: that is a
// verification that failed.
func (c *verifyCommand) damaged(u *ui, err error) error {
	if !is[*store.InputError](err) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || store.IsTooManyFiles(err) {
		return err
	}
	u.fail(err)
	return statusUnverified
}

func verifyInput(ctx context.Context, in store.Input, o store.VerifyOptions) (*store.Verification, error) {
	switch in := in.(type) {
	case *store.Stream:
		return store.VerifyStream(ctx, in, o)
	case store.Layout:
		return store.Verify(ctx, in, o)
	}
	return nil, fmt.Errorf("unknown kind of input %T", in)
}

// faultError names the artifact and the blob, where the reason does not.
func faultError(f store.Fault) error {
	err := f.Err
	for _, name := range []string{f.Digest.String(), f.Reference} {
		if !strings.Contains(err.Error(), name) {
			err = fmt.Errorf("%s: %w", name, err)
		}
	}
	return err
}

func verified(input string, v *store.Verification, incomplete bool) string {
	text := fmt.Sprintf("%s: %s, %s, %s of %s hashed", input, count(v.Artifacts, "artifact"),
		count(v.Referrers, "referrer"), count(v.Blobs, "blob"), bytesText(v.Bytes))
	if v.LeftOver > 0 {
		text += ", " + count(v.LeftOver, "unreferenced blob")
	}
	if n := len(v.Faults); n > 0 {
		return text + ": " + count(n, "fault")
	}
	if incomplete {
		return text + ": what is there is right"
	}
	return text + ": all complete and intact"
}
