package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/shard"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/exit"
)

// targets are the places that a command line names for a restore.
type targets struct {
	argument string   // REGISTRY[/NAMESPACE][:TAG], or the name of a target of the spec
	file     string   // path of the spec; "" without one
	verb     string   // of the command, for errors; "" means "restore"
	only     []string // patterns of artifacts to restore
	ofStdin  bool     // an archive from standard input, which can be restored to only one target

	part *shard.Part // nil: everything
	option.DestinationFlags
}

// destination holds everything that targets name.
type destination struct {
	spec    *config.Spec // nil without one
	mapper  *config.Mapper
	targets []config.Target
	tag     string       // of the argument, for the only artifact of the input
	shard   *shard.Shard // the part to restore; nil: everything
	trust   engine.Trust // the policies of the spec; nil if it has none
}

// read reads the spec and finds the targets in it. With an error it returns what was
// read so far.
func (t *targets) read() (d destination, err error) {
	for _, pattern := range t.only {
		if !doublestar.ValidatePattern(pattern) {
			return d, exit.Usage("", "invalid --only pattern %q", pattern)
		}
	}
	if t.file != "" {
		if d.spec, err = config.Load(t.file); err != nil {
			return d, err
		}
	}
	if d.trust, err = loadTrust(d.spec); err != nil {
		return d, err
	}
	if d.mapper, err = t.Mapper(d.spec); err != nil {
		return d, err
	}
	d.targets, d.tag, err = t.find(d.spec)
	t.PlatformModeFlag.Apply(d.targets)
	if err != nil {
		return d, err
	}
	d.shard, err = newShard(t.part, t.file, shard.Names{Mapper: d.mapper, Targets: d.targets})
	return d, err
}

// find returns the target that the argument names, perhaps with a tag, or those that
// --target names, or all of the spec.
func (t *targets) find(spec *config.Spec) (all []config.Target, tag string, err error) {
	if t.argument != "" && len(t.Targets) > 0 {
		return nil, "", exit.Usage("", "name the target as the argument or with --target, not both")
	}
	if advice.IsArchive(t.argument) && !hasTarget(spec, t.argument) {
		return nil, "", exit.Usage(advice.RepeatFlag("--input"), "unexpected argument %s", t.argument)
	}
	if name, digest, pinned := strings.Cut(t.argument, "@"); pinned {
		return nil, "", exit.Usage(fmt.Sprintf("did you mean %q? --only %s restores only that artifact", name, digest), "invalid target %q: a target has no digest", t.argument)
	}
	if t.argument != "" && !hasTarget(spec, t.argument) {
		name, tag := cutTag(t.argument)
		target, err := parseTarget(spec, name)
		return []config.Target{target}, tag, err
	}
	all, err = t.ofSpec(spec)
	return all, "", err
}

// ofSpec returns the targets of the spec that the command line names.
func (t *targets) ofSpec(spec *config.Spec) ([]config.Target, error) {
	all, err := spec.ResolveTargets()
	if err != nil {
		return nil, err
	}
	if all, err = t.named(all); err != nil {
		return nil, err
	}
	switch {
	case len(all) == 0:
		return nil, t.none()
	case len(all) > 1 && t.ofStdin:
		return nil, exit.Usage("name one of them as the argument", "standard input can be read only once, and there are %d targets", len(all))
	}
	return all, nil
}

// none returns the error for a command line without a target.
func (t *targets) none() error {
	if t.verb == "sync" {
		return exit.Usage("name one with --target REGISTRY[/NAMESPACE], or list targets in the spec", "no target to sync to")
	}
	return exit.Usage("name one, as REGISTRY[/NAMESPACE], or list targets in the spec", "no target to restore to")
}

// named returns those of some targets that the command line names, or all if it names
// none.
func (t *targets) named(all []config.Target) ([]config.Target, error) {
	names := t.Targets
	if t.argument != "" {
		names = []string{t.argument}
	}
	if len(names) == 0 {
		return all, nil
	}
	var picked []config.Target
	for _, name := range names {
		target, found := findTarget(all, name)
		if !found {
			var err error
			if target, err = config.ParseTarget(name); err != nil && strings.ContainsAny(name, "/:") {
				return nil, err
			} else if err != nil {
				return nil, noTarget(all, name)
			}
		}
		if !slices.Contains(picked, target) {
			picked = append(picked, target)
		}
	}
	return picked, nil
}

// hosts lists the registries of the targets.
func (d *destination) hosts() []string {
	return hostsOf(d.targets, func(t config.Target) string { return t.Registry })
}

// parseTarget parses REGISTRY[/NAMESPACE]. A word that cannot be that may be a misspelt
// name of a target of the spec.
func parseTarget(spec *config.Spec, text string) (config.Target, error) {
	target, err := config.ParseTarget(text)
	if err == nil || strings.ContainsAny(text, "./:") {
		return target, err
	}
	all, specErr := spec.ResolveTargets()
	if specErr != nil || len(namedTargets(all)) == 0 {
		return target, err
	}
	return target, noTarget(all, text)
}

// cutTag cuts the tag off REGISTRY/REPOSITORY:TAG.
func cutTag(target string) (name, tag string) {
	at := strings.LastIndexByte(target, ':')
	if slash := strings.LastIndexByte(target, '/'); strings.Contains(target, "://") || slash < 0 || at < slash || config.CheckTag(target[at+1:]) != nil {
		return target, ""
	}
	return target[:at], target[at+1:]
}

// hasTarget reports whether a spec, which may be nil, has a target of that name.
func hasTarget(spec *config.Spec, name string) bool {
	return spec != nil && slices.ContainsFunc(spec.Targets, func(t config.TargetEntry) bool { return t.Name == name })
}

// findTarget finds the target of that name.
func findTarget(all []config.Target, name string) (target config.Target, found bool) {
	i := slices.IndexFunc(all, func(t config.Target) bool { return t.Name == name })
	if i < 0 {
		return config.Target{}, false
	}
	return all[i], true
}

// noTarget returns the error for a name that no target of the spec has. It lists the names
// of the targets, the nearest first.
func noTarget(all []config.Target, name string) error {
	const fact = "the spec has no target named %q"
	names := namedTargets(all)
	switch {
	case len(all) == 0:
		return exit.Usage(fmt.Sprintf(`list it under "targets:" in the spec that -f names: "- {name: %s, target: REGISTRY}"`, name), "no target is named %q", name)
	case len(names) == 0:
		return exit.Usage(fmt.Sprintf(`give it one: "- {name: %s, target: %s}"`, name, all[0]), fact, name)
	}
	names = advice.Nearest(name, names, len(names))
	if advice.Distance(name, names[0]) <= 2 {
		return exit.Usage(advice.DidYouMean(names[0])+" The targets of the spec: "+strings.Join(names, ", "), fact, name)
	}
	return exit.Usage("the targets of the spec: "+strings.Join(names, ", "), fact, name)
}

// namedTargets lists the names of targets that have one.
func namedTargets(all []config.Target) []string {
	var names []string
	for _, t := range all {
		if t.Name != "" {
			names = append(names, t.Name)
		}
	}
	return names
}
