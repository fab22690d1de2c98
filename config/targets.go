package config

import (
	"cmp"
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

// ResolveTargets returns the targets of the spec with their variables expanded. Its error is a
// [*LoadError] with every fault.
func (s *Spec) ResolveTargets() ([]Target, error) {
	if s == nil {
		return nil, nil
	}
	var targets []Target
	var faults []Fault
	for i, entry := range s.Targets {
		target, err := entry.resolve()
		if err != nil {
			faults = append(faults, s.fault(strictyaml.Element("targets", i), err))
			continue
		}
		targets = append(targets, target)
	}
	return targets, loadError(faults)
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
