package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
)

type restoreCommand struct {
	Target string `arg:"" optional:"" help:"Where to: REGISTRY[/NAMESPACE], or the name of one of the spec's targets; default: all targets of the spec."`

	Spec   string   `short:"f" name:"file" placeholder:"SPEC" help:"Take mappings, targets and registries from this mirror spec."`
	Only   []string `sep:"none" placeholder:"PATTERN" help:"Restore what matches this glob alone. Repeatable."`
	DryRun bool     `help:"Print source -> target of each artifact and move nothing."`
	inputFlags

	transferFlags
}

func (c *restoreCommand) Help() string {
	return `Examples:

    oras-mirror restore -f mirror.yaml --input bundle.tgz
    oras-mirror restore --input bundle.tgz registry.example.com/mirror
    oras-mirror restore --input ./mirror --only 'registry.k8s.io/**' localhost:5000
    cat bundle.tgz | oras-mirror restore --input - localhost:5000/mirror`
}

func (c *restoreCommand) Run(ctx context.Context, u *ui) error {
	r, err := c.plan(u)
	if err != nil {
		return err
	}
	client, err := c.start(u, r.spec, hostsOf(r.targets, func(t config.Target) string { return t.Registry }))
	if err != nil {
		return err
	}
	in, err := c.open(u)
	if err != nil {
		return err
	}
	p := startProgress(u)
	report, err := engine.Restore(ctx, client, in, engine.RestoreOptions{
		Concurrency:      c.Concurrency,
		Buffer:           int64(c.Buffer),
		Progress:         p,
		Targets:          r.targets,
		Mapper:           r.mapper,
		Only:             c.Only,
		ExcludeReferrers: c.ExcludeReferrers,
		FailFast:         c.FailFast,
		DryRun:           c.DryRun,
		TempDir:          c.TempDir,
	})
	p.close()
	err = errors.Join(err, in.Close())
	if c.DryRun && err == nil {
		return printRoutes(u, report)
	}
	return u.conclude(restoreWords, report, err)
}

// restore is what a command line asks for.
type restore struct {
	spec    *config.Spec
	mapper  *config.Mapper
	targets []config.Target
}

func (c *restoreCommand) plan(u *ui) (r restore, err error) {
	var s streams
	if err := errors.Join(c.inputFlags.claim(&s, u), c.stdin(&s)); err != nil {
		return r, err
	}
	for _, pattern := range c.Only {
		if !doublestar.ValidatePattern(pattern) {
			return r, usage("", "--only %q is no pattern", pattern)
		}
	}
	if r.spec, err = loadSpec(c.Spec); err != nil {
		return r, err
	}
	if r.mapper, err = r.spec.Mapper(); err != nil {
		return r, err
	}
	r.targets, err = c.targets(r.spec)
	return r, err
}

// targets is the one that the argument names, or all of the spec.
func (c *restoreCommand) targets(spec *config.Spec) ([]config.Target, error) {
	if c.Target != "" && (spec == nil || !hasTarget(spec, c.Target)) {
		target, err := config.ParseTarget(c.Target)
		return []config.Target{target}, err
	}
	all, err := spec.ResolveTargets()
	if err != nil {
		return nil, err
	}
	if c.Target != "" {
		all = namedTarget(all, c.Target)
	}
	switch {
	case len(all) == 0:
		return nil, usage("name one, as REGISTRY[/NAMESPACE], or list targets in the spec", "no target to restore to")
	case len(all) > 1 && c.Input == "-":
		return nil, usage("name one of them as the argument", "standard input can be read once, and there are %d targets", len(all))
	}
	return all, nil
}

func hasTarget(spec *config.Spec, name string) bool {
	for _, t := range spec.Targets {
		if t.Name == name {
			return true
		}
	}
	return false
}

func namedTarget(all []config.Target, name string) []config.Target {
	for _, t := range all {
		if t.Name == name {
			return []config.Target{t}
		}
	}
	return nil
}

func printRoutes(u *ui, report *engine.Report) error {
	for _, a := range report.Artifacts {
		if _, err := fmt.Fprintf(u.stdout, "%s -> %s\n", printable(a.Reference), a.Target); err != nil {
			return err
		}
	}
	return nil
}
