package config

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// TargetEntry is an element of the targets of a spec: REGISTRY[/NAMESPACE], as a string or with
// more keys.
type TargetEntry struct {
	Name         string `yaml:"name"`
	Target       string `yaml:"target"`
	ExistingTags string `yaml:"existingTags"` // "" means overwrite
	PlatformMode string `yaml:"platformMode"` // "" means keep
}

// UnmarshalText parses a target that is a string.
func (t *TargetEntry) UnmarshalText(text []byte) error {
	t.Target = string(text)
	return t.fault()
}

// Check reports the faults of the target while it is decoded.
func (t *TargetEntry) Check(o strictyaml.Object) {
	o.Require("target")
	if o.Valid("target") {
		o.Error("target", t.fault())
	}
	o.Choice("existingTags", t.ExistingTags, ExistingOverwrite, ExistingSkip, ExistingFail)
	o.Choice("platformMode", t.PlatformMode, PlatformsKeep, PlatformsRewrite)
}

// fault returns an error if the target is invalid whatever its variables expand to.
func (t *TargetEntry) fault() error {
	if reason := variableFault(t.Target); reason != "" {
		return asError(reason)
	}
	if strings.Contains(t.Target, "${") {
		return nil
	}
	_, err := ParseTarget(t.Target)
	return err
}

// checkTargets reports targets and names that are listed twice.
func checkTargets(o strictyaml.Object, all []TargetEntry) {
	targets, names := make(map[string]int), make(map[string]int)
	for i, t := range all {
		at := strictyaml.Element("targets", i)
		if first, ok := targets[t.Target]; ok && t.Target != "" {
			o.Fault(at, fmt.Sprintf("%s is already a target in targets[%d]", t.Target, first))
		} else if first, ok := names[t.Name]; ok && t.Name != "" {
			o.Fault(at, fmt.Sprintf("name %q is already used by targets[%d]", t.Name, first))
		}
		targets[t.Target], names[t.Name] = i, i
	}
}

func (t TargetEntry) resolve() (Target, error) {
	expanded, err := expand(t.Target, time.Now())
	if err != nil {
		return Target{}, err
	}
	target, err := ParseTarget(expanded)
	if err != nil {
		return Target{}, err
	}
	target.Name = t.Name
	target.ExistingTags = cmp.Or(t.ExistingTags, target.ExistingTags)
	target.PlatformMode = cmp.Or(t.PlatformMode, target.PlatformMode)
	return target, nil
}
