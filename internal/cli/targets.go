package cli

import (
	"fmt"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/advice"
	"github.com/oras-mirror/oras-mirror/internal/exit"
)

// parseTarget reads REGISTRY[/NAMESPACE]. What is neither that nor the name of one
// of the spec's targets is perhaps a name with a slip in it.
func parseTarget(spec *config.Spec, text string) (config.Target, error) {
	target, err := config.ParseTarget(text)
	if err == nil || strings.ContainsAny(text, "./:") {
		return target, err
	}
	all, specErr := spec.ResolveTargets()
	if specErr != nil || len(namesOfTargets(all)) == 0 {
		return target, err
	}
	return target, noTarget(all, text)
}

// cutTag cuts the tag off REGISTRY/REPOSITORY:TAG, if it is one.
func cutTag(target string) (name, tag string) {
	at := strings.LastIndexByte(target, ':')
	if slash := strings.LastIndexByte(target, '/'); strings.Contains(target, "://") || slash < 0 || at < slash || config.CheckTag(target[at+1:]) != nil {
		return target, ""
	}
	return target[:at], target[at+1:]
}

func hasTarget(spec *config.Spec, name string) bool {
	if spec == nil {
		return false
	}
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

// noTarget says that none of a spec's targets has that name, and which names there
// are, the nearest first.
func noTarget(all []config.Target, name string) error {
	const fact = "the spec has no target named %q"
	names := namesOfTargets(all)
	switch {
	case len(all) == 0:
		if _, err := config.ParseTarget(name); err == nil {
			return exit.Usage(fmt.Sprintf("--target takes a name of the spec: give the address %s as the argument", name), "no target is named %q", name)
		}
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

func namesOfTargets(all []config.Target) []string {
	var names []string
	for _, t := range all {
		if t.Name != "" {
			names = append(names, t.Name)
		}
	}
	return names
}
