package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/filter"
	"github.com/oras-mirror/oras-mirror/config/lockfile"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/inventory"
	"github.com/oras-mirror/oras-mirror/internal/statement"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/internal/version"
	"github.com/oras-mirror/oras-mirror/store"
)

type statementCommand struct {
	Spec string `short:"f" name:"file" placeholder:"SPEC" help:"Check signatures as the policies of this mirror spec demand, without a network, and state who signed each artifact. State the lock of the spec too, if the input has what it pins."`
	option.InputFlags
}

func (c *statementCommand) Help() string {
	return `Prints an in-toto Statement with the digests of the files, of index.json and of every artifact. Sign it with ssh-keygen, cosign or openssl; "verify --statement" holds a bundle against it. It hashes the files and reads no blob but signatures: verify the bundle first.

With -f, an artifact without a signature that its policy accepts is an error, and nothing is printed: exit code 5.

Examples:

    oras-mirror statement --input bundle.tgz > bundle.json
    oras-mirror statement -f mirror.yaml --input bundle.tgz > bundle.json
    oras-mirror statement --input ./mirror > mirror.json
    oras-mirror verify --input bundle.tgz --statement bundle.json`
}

// Run prints a statement about the inputs.
func (c *statementCommand) Run(ctx context.Context, u *console.Console) error {
	u.Advise(func(h *advice.Hints) { h.OnlyInput = true })
	option.BoundReading()
	if slices.Contains(c.Input, "-") {
		return exit.Usage("save the archive to a file first", "a statement about standard input would lack the digest of the file")
	}
	by, err := readJudge(c.Spec)
	if err != nil {
		return err
	}
	if c.Spec != "" && by.policies == nil && by.lock == nil {
		return exit.Usage("list policies in the spec, lock it, or omit -f", "%s has neither policies nor a lock", c.Spec)
	}
	in, err := openInput(ctx, &c.InputFlags, u, by.spec)
	if err != nil {
		return err
	}
	content, err := c.content(ctx, u, in, by)
	if err = errors.Join(err, in.Close()); err != nil {
		return err
	}
	_, err = content.WriteTo(u.Stdout)
	return err
}

// content returns what is stated about an input. Nothing is stated about one that lacks parts, and
// about one with an artifact that a policy does not accept: the digests of the files and of
// index.json would vouch for that artifact, too.
func (c *statementCommand) content(ctx context.Context, u *console.Console, in store.Input, by judge) (*statement.Content, error) {
	if lacking := sayFaults(u, in); lacking != nil {
		return nil, lacking
	}
	layout, is := in.(store.Layout)
	if !is {
		return nil, fmt.Errorf("unknown kind of input %T", in)
	}
	if missing := engine.Missing(in.Index()); len(missing) > 0 {
		u.Notice("%v", &exit.IncompleteError{Input: c.Name(), Missing: missing})
	}
	signed, err := by.check(ctx, u, layout)
	if err != nil {
		return nil, err
	}
	saySigned(u, signed.asked, signed.refused, by.unasked(in.Index()))
	if signed.refused > 0 {
		u.Say("nothing is stated about %s", c.Name())
		return nil, exit.Unverified
	}
	content, err := statement.Of(in.Index())
	if err != nil {
		return nil, err
	}
	content.Version = version.Read().Version
	for reference, signers := range signed.of {
		content.SetSigners(reference, signers)
	}
	if err := c.stateLock(u, content, by); err != nil {
		return nil, err
	}
	content.Files, err = hashInputs(ctx, u, &c.InputFlags, by.spec)
	return content, err
}

// stateLock adds the lock of the spec if the input has exactly the artifacts that it pins.
func (c *statementCommand) stateLock(u *console.Console, content *statement.Content, by judge) error {
	if by.lock == nil {
		return nil
	}
	lock, err := lockfile.Parse(lockfile.Path(c.Spec), by.text)
	if err != nil {
		return err
	}
	if d := inventory.Diff(pinned(lock, by.policies != nil), stated(content)); !d.IsEmpty() {
		u.Notice("%s is not stated: from it to %s: %s", by.lock.Name, c.Name(), d.Counts())
		return nil
	}
	content.Lock = by.lock
	return nil
}

// pinned lists the artifacts that a lock pins, with their platforms and, if they were checked,
// their signers.
func pinned(l *lockfile.Lock, checked bool) []inventory.Name {
	all := make([]inventory.Name, len(l.Artifacts))
	for i, a := range l.Artifacts {
		all[i] = inventory.Name{Reference: a.Reference.EntryName(), Digest: a.Digest, With: strings.Join(text.Strings(a.Platforms), ",")}
		if checked {
			all[i].SignedBy = strings.Join(a.SignedBy, ", ")
		}
	}
	return all
}

// stated lists the artifacts of a statement as pinned does, without the tags of cosign, which
// belong to their images.
func stated(content *statement.Content) []inventory.Name {
	var all []inventory.Name
	for _, a := range content.Artifacts {
		if ref, _ := config.ParseEntryName(a.Reference); !filter.IsReferrersTag(ref.Tag) {
			all = append(all, inventory.Name{Reference: a.Reference, Digest: a.Digest, With: strings.Join(a.Platforms, ","), SignedBy: strings.Join(a.SignedBy, ", ")})
		}
	}
	return all
}

// hashInputs hashes the files that the flags name.
func hashInputs(ctx context.Context, u *console.Console, f *option.InputFlags, spec *config.Spec) ([]statement.File, error) {
	paths, err := option.ExpandInputs(f.Input)
	if err != nil {
		return nil, err
	}
	buckets, err := openBuckets(ctx, u, spec)
	if err != nil {
		return nil, err
	}
	files, err := statement.HashFiles(ctx, slices.DeleteFunc(paths, func(path string) bool { return path == "-" }), buckets)
	if pipe, is := errors.AsType[*statement.PipeError](err); is {
		return nil, exit.Usage("save the archive to a file first", "%v", pipe)
	}
	return files, err
}
