package cli

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/filetype"
	"github.com/oras-mirror/oras-mirror/internal/inventory"
	"github.com/oras-mirror/oras-mirror/internal/report"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store"
)

type diffCommand struct {
	A string `arg:"" help:"The old state: a bundle, a layout directory, a lock, a spec, REGISTRY[/NAMESPACE] or REGISTRY/REPOSITORY."`
	B string `arg:"" help:"The new state: any of these."`

	Spec   string   `short:"f" name:"file" placeholder:"SPEC" help:"Use the registry settings of this mirror spec, and its mappings for a comparison with a registry."`
	Map    []string `sep:"none" placeholder:"SOURCE=TARGET" help:"Expect everything below the prefix SOURCE under TARGET in a registry; takes precedence over the mappings of the spec. Repeatable."`
	Format string   `enum:"text,json" default:"text" placeholder:"text|json" help:"Print text or json."`

	option.PlatformModeFlag
	option.RunFlags
}

func (c *diffCommand) Help() string {
	return `Prints a line with + for a name that only B has, with - for one that only A has, and with ~ and old -> new for one whose digest differs. Exits with code 4 if there is any.

Bundles, layouts, locks and specs are compared by full references, two registries by the paths below REGISTRY[/NAMESPACE]. A spec selects what its next lock would have: tags that minAge keeps waiting are left out.

If only one side is a registry, and the other side has references in that registry and namespace, only those are compared: they were copied from there. If it has none, it was copied to there, and its references are compared as a restore writes them: by the mappings of the spec, of --file and of --map; without a match the registry is dropped and the path kept. Registries are compared by tags; an artifact with only a digest is ignored. If the target has platformMode: rewrite in the spec, or by --platform-mode, an index with only some of its platforms is expected as a restore rewrites it.

Examples:

    oras-mirror diff monday.tgz tuesday.tgz
    oras-mirror diff mirror.lock.yaml mirror.yaml
    oras-mirror diff mirror.yaml registry.corp.example/mirror
    oras-mirror diff bundle.tgz registry.k8s.io/pause`
}

func (c *diffCommand) Run(ctx context.Context, u *console.Console) error {
	spec, err := c.spec()
	if err != nil {
		return err
	}
	open := openerOf(ctx, u, c.specOfBuckets(spec))
	a, b, err := openOperands(c.A, c.B, open)
	if err != nil {
		return err
	}
	settings := firstSpec(spec, a.spec, b.spec)
	client, err := start(u, &c.RunFlags, settings, settings.Asked(sourceHosts(slices.Concat(a.selections, b.selections))))
	if err != nil {
		return err
	}
	p := u.StartProgress()
	r := resolver{client: client, open: open, concurrency: c.Concurrency, progress: p, ofBoth: a.isForeign() || b.isForeign()}
	specs := []*config.Spec{spec, a.spec, b.spec}
	err = errors.Join(r.resolve(ctx, a, c.rewrites(b, specs)), r.resolve(ctx, b, c.rewrites(a, specs)))
	p.Close()
	if err != nil {
		return err
	}
	if err := align(a, b, spec, option.DestinationFlags{Map: c.Map}); err != nil {
		return err
	}
	return c.write(u, inventory.Diff(a.names, b.names))
}

// spec reads the spec of --file; nil without one.
func (c *diffCommand) spec() (*config.Spec, error) {
	if c.Spec == "" {
		return nil, nil
	}
	return config.Load(c.Spec)
}

// specOfBuckets returns the spec that says how buckets are reached: that of --file, or the one
// that is compared with what is in a bucket. nil if there is none; its errors are found later.
func (c *diffCommand) specOfBuckets(spec *config.Spec) *config.Spec {
	for _, arg := range []string{c.A, c.B} {
		if spec == nil && !store.IsInBucket(arg) && filetype.Exists(arg) && filetype.Guess(arg) == filetype.Spec {
			spec, _ = config.Load(arg)
		}
	}
	return spec
}

// rewrites reports whether an operand is a target for which a restore rewrites indexes
// that lack some platforms.
func (c *diffCommand) rewrites(o *operand, specs []*config.Spec) bool {
	if o.base == "" || c.PlatformMode != "" {
		return o.base != "" && c.PlatformMode == config.PlatformsRewrite
	}
	return slices.ContainsFunc(specs, func(spec *config.Spec) bool {
		targets, err := spec.ResolveTargets()
		return err == nil && slices.ContainsFunc(targets, func(t config.Target) bool {
			return t.String() == o.base && t.PlatformMode == config.PlatformsRewrite
		})
	})
}

// firstSpec returns the first spec that is not nil, for the settings of registries.
func firstSpec(specs ...*config.Spec) *config.Spec {
	for _, s := range specs {
		if s != nil {
			return s
		}
	}
	return nil
}

// write prints the differences, and returns exit code 4 if there are any.
func (c *diffCommand) write(u *console.Console, d *inventory.Difference) error {
	write := d.Print
	if c.Format == "json" {
		write = func(io.Writer) error {
			return text.WriteJSON(u.Stdout, struct {
				report.Header
				*inventory.Difference
			}{report.NewHeader("Diff"), d})
		}
	}
	if err := write(u.Answer()); err != nil {
		return err
	}
	if d.IsEmpty() {
		u.Say("no differences between %s and %s", c.A, c.B)
		return nil
	}
	u.Say("from %s to %s: %s", c.A, c.B, d.Counts())
	return exit.Drift
}
