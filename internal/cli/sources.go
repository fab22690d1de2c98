package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/lockfile"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/shard"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
)

// sources are the artifacts that a command line names for a backup: by a spec, by
// arguments, or by the lock of the spec.
type sources struct {
	references []string // "-" is a list on standard input
	verb       string   // of the command, for errors; "" means "back up"
	file       string   // path of the spec; "" without one
	locked     bool     // select what the lock of the spec pins
	pins       bool     // makes a lock, which says itself what is too new
	retry      bool     // a report names the artifacts, so that these can be empty

	part *shard.Part // nil: everything
	option.PlatformFlags
	option.ReferrerFlags
	run *option.RunFlags
}

// selected holds everything that sources select.
type selected struct {
	spec       *config.Spec // nil without one
	selections []config.Selection
	mapper     *config.Mapper // finds two artifacts that would land on one target; nil if the spec has no targets
	shard      *shard.Shard   // the part to copy; nil: everything
	trust      engine.Trust   // the policies of the spec; nil if it has none

	unmatched   []string           // repositories that no policy matches, if there are policies
	bases       bases              // of a forecast of a delta
	measureEach bool               // a forecast measures each repository
	quarantine  *engine.Quarantine // keeps tags out of a lock; nil: takes all
}

// read reads the spec, and everything that it and the arguments name. With an error it returns
// what was read so far.
func (s *sources) read(ctx context.Context, u *console.Console) (all selected, err error) {
	if err = s.claimStdin(); err != nil {
		return all, err
	}
	if s.file != "" {
		if all.spec, err = config.Load(s.file); err != nil {
			return all, err
		}
	}
	if all.trust, err = loadTrust(all.spec); err != nil {
		return all, err
	}
	if all.selections, err = s.selections(ctx, u, all.spec); err != nil {
		return all, err
	}
	var repositories int
	all.unmatched, repositories = unmatched(all.spec, all.selections)
	noticeUnmatched(u, all.unmatched, repositories)
	if all.spec != nil && len(all.spec.Mappings)+len(all.spec.Targets) > 0 {
		if all.mapper, err = all.spec.Mapper(); err != nil {
			return all, err
		}
	}
	all.shard, err = newShard(s.part, s.file, shard.Names{Mapper: all.mapper})
	return all, err
}

// claimStdin refuses to read standard input twice.
func (s *sources) claimStdin() error {
	var stdin option.Stdin
	for _, ref := range s.references {
		if ref != "-" {
			continue
		}
		if err := stdin.Claim("the list of references"); err != nil {
			return err
		}
	}
	return s.run.ClaimStdin(&stdin)
}

// selections returns what the lock pins, or else what the spec and the arguments select.
func (s *sources) selections(ctx context.Context, u *console.Console, spec *config.Spec) ([]config.Selection, error) {
	switch {
	case !s.locked:
		return s.unlocked(u, spec)
	case s.file == "":
		return nil, exit.Usage("name the spec with -f", "--locked needs a spec")
	case len(s.references) > 0 || len(s.Platform) > 0 || s.Included() != nil:
		return nil, exit.Usage("change the spec and lock it again", "--locked copies only what the lock pins")
	}
	open := openerOf(ctx, u, spec)
	return lockedSelections(u, lockfile.Path(s.file), spec, open)
}

// unlocked returns the sources of the spec, then what the arguments name. The defaults
// of the spec for referrers hold for those, too.
func (s *sources) unlocked(u *console.Console, spec *config.Spec) ([]config.Selection, error) {
	if !s.pins {
		if err := requireLock(spec, s.file); err != nil {
			return nil, err
		}
	}
	selected, err := spec.Select()
	if err != nil {
		return nil, err
	}
	noticeManifests(u, selected.Manifests, s.file)
	named, err := s.named(u.Stdin)
	if err != nil {
		return nil, err
	}
	spec.ApplyDefaults(named)
	all := append(selected.Selections, named...)
	if len(all) == 0 && !s.retry {
		return nil, nothingSelected(cmp.Or(s.verb, "back up"), s.file)
	}
	s.ReferrerFlags.Apply(all)
	return all, s.PlatformFlags.Apply(all)
}

// named reads the arguments in their order, and standard input in place of a "-".
func (s *sources) named(stdin io.Reader) ([]config.Selection, error) {
	var all []config.Selection
	var errs []error
	add := func(some []config.Selection, err error) {
		all, errs = append(all, some...), append(errs, err)
	}
	rest := s.references
	for i, ref := range s.references {
		if ref == "-" {
			add(config.Arguments(s.references[:i]))
			add(config.ReadList("standard input", stdin))
			rest = s.references[i+1:]
		}
	}
	add(config.Arguments(rest))
	return all, errors.Join(errs...)
}

// filesRead lists the files that a backup of these sources reads.
func (s *sources) filesRead(spec *config.Spec) []overwrite.File {
	all := slices.Concat(overwrite.SpecFiles(s.file, spec), s.run.FilesRead())
	all = append(all, lockRead(s.part, s.file)...)
	if s.locked {
		all = append(all, overwrite.File{What: "the lock", Path: lockfile.Path(s.file)})
	}
	if slices.Contains(s.references, "-") {
		all = append(all, overwrite.File{What: "standard input", Path: overwrite.StdinPath})
	}
	return all
}

// nothingSelected returns the error for a spec and arguments that name no source.
func nothingSelected(verb, spec string) error {
	if spec != "" {
		return exit.Usage(listSources(spec), "nothing to %s: %s has no sources", verb, spec)
	}
	return exit.Usage(`name references, or a spec with -f; "-" reads references from standard input`, "nothing to %s", verb)
}

// listSources returns the hint for a spec that selects nothing.
func listSources(spec string) string {
	return fmt.Sprintf(`list what to mirror under "sources:" in %s, one reference a line: "  - registry.k8s.io/pause:3.10"`, spec)
}

// forecast counts what a backup of everything selected would copy into an output.
func (s *selected) forecast(ctx context.Context, u *console.Console, client *registry.Client, run *option.RunFlags, out backup.Output) (*engine.Forecast, error) {
	p := u.StartProgress()
	defer p.Close()
	options := engine.BackupOptions{
		Concurrency: run.Concurrency, Buffer: int64(run.Buffer), Progress: p, Mapper: s.mapper, Shard: s.shard, MeasureEach: s.measureEach, Trust: s.trust, Quarantine: s.quarantine,
		OpenLayout: sourceOpener(ctx, u, s.spec),
	}
	var err error
	if options.Base, err = s.bases.open(ctx, u, client, *s, options); err != nil {
		return nil, err
	}
	return backup.Forecast(ctx, client, s.selections, out, options)
}

// hosts lists the registries that selections are read from, mirrors among them.
func (s *selected) hosts() []string { return s.spec.Asked(sourceHosts(s.selections)) }

// sourceHosts lists the registries that selections are read from, each once, in order.
func sourceHosts(all []config.Selection) []string {
	return hostsOf(all, func(s config.Selection) string {
		if s.Layout != "" {
			return ""
		}
		return cmp.Or(s.Registry, s.Reference.Registry)
	})
}
