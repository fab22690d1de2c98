package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/plan"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

type validateCommand struct {
	Spec   string `short:"f" name:"file" required:"" placeholder:"SPEC" help:"Check this mirror spec."`
	Format string `enum:"text,json" default:"text" placeholder:"text|json" help:"Print text or json: each mistake with its file, line and path."`
}

func (c *validateCommand) Help() string {
	return `Reports all mistakes at once, each with its place: in the spec and in the lists, layouts, manifests, certificates and policies that it names. Shows how many images the manifests name, and what each policy demands. Sends no request. A value with a ${VAR} that is not set is not checked.

Examples:

    oras-mirror validate -f mirror.yaml
    oras-mirror init registry.k8s.io/pause:3.10 | oras-mirror validate -f /dev/stdin
    oras-mirror validate -f mirror.yaml --format json | jq .errors`
}

// Run checks a spec and the files that it names.
func (c *validateCommand) Run(ctx context.Context, u *console.Console) error {
	document := newValidateDocument(c.Spec)
	if c.Format == "json" {
		u.SetDocument(document.finish)
	}
	var demands []string
	v, err := config.Validate(c.Spec, config.Checks{
		Layout: func(spec *config.Spec, path string, repository config.Reference) error {
			return checkLayout(path, repository, openerOf(ctx, u, spec))
		},
		Policy: func(p config.Policy) (key string, err error) {
			demand, key, err := checkPolicy(p)
			demands = append(demands, demand...)
			return key, err
		},
	})
	document.add(v, demands)
	for _, f := range v.Unset {
		u.Notice("%v: not checked", f)
	}
	if err != nil {
		return err
	}
	for _, m := range v.Manifests {
		u.Say("%s: found %s in %s", m.Origin, text.Count(len(m.Images), "image"), text.Count(m.Files, "file"))
		noticeSkipped(u, m)
	}
	for _, demand := range demands {
		u.Say("%s", demand)
	}
	repositories, of := unmatched(v.Spec, v.Selections)
	document.Unmatched = repositories
	noticeUnmatched(u, repositories, of)
	spec := v.Spec
	if len(spec.Sources) == 0 {
		u.Notice("%s has no sources: it is only useful for restore", c.Spec)
	}
	u.Say("%s is valid: %s, %s, %s", c.Spec, text.Count(len(spec.Sources), "source"),
		text.Count(len(spec.Mappings), "mapping"), text.Count(len(spec.Targets), "target"))
	return nil
}

// checkLayout checks that a layout can be read and that all of its artifacts have names.
func checkLayout(path string, repository config.Reference, open opener) error {
	in, err := open(path)
	if err != nil {
		return err
	}
	for _, a := range plan.Listed(in, path, repository) {
		if a.Err != nil && err == nil {
			err = fmt.Errorf("%s: %w", path, a.Err)
		}
	}
	return errors.Join(err, in.Close())
}
