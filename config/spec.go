// Package config is about what to mirror: the mirror spec and its loader,
// references, the selection of tags, and the mappings that name things in a
// target. It opens no connection and starts no goroutine; the files that it
// reads are the spec and the lists that a spec names, and for [Validate] its
// certificates.
package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// The head of every mirror spec.
const (
	APIVersion = "oras-mirror/v1alpha1"
	Kind       = "Mirror"
)

// Spec is a mirror spec as it was written. Its methods give what it means:
// variables expanded, defaults applied, paths relative to the spec's folder. A
// nil *Spec is one that says nothing. Safe for concurrent use.
type Spec struct {
	APIVersion string             `yaml:"apiVersion"`
	Kind       string             `yaml:"kind"`
	Registries []RegistrySettings `yaml:"registries"`
	Defaults   Defaults           `yaml:"defaults"`
	Sources    []Source           `yaml:"sources"`
	Output     string             `yaml:"output"`
	Mappings   []Mapping          `yaml:"mappings"`
	Targets    []TargetEntry      `yaml:"targets"`

	name   string           // of the file
	places map[string]place // of every value, by its path
}

// Defaults is what a source inherits that does not say otherwise.
type Defaults struct {
	Platforms      []Platform `yaml:"platforms"` // nil means all
	ReferrerChoice `yaml:"referrers"`
}

func (d *Defaults) check(o object) { checkPlatforms(o, d.Platforms) }

// ApplyDefaults makes the spec's defaults those of selections that come from
// elsewhere, such as [Arguments].
func (s *Spec) ApplyDefaults(all []Selection) {
	if s == nil {
		return
	}
	for i := range all {
		all[i].Platforms = DistinctPlatforms(s.Defaults.Platforms)
		s.Defaults.ReferrerChoice.apply(&all[i])
	}
}

// place is where a value stands in a file; both count from 1.
type place struct{ line, column int }

func (s *Spec) check(o object) {
	o.constant("apiVersion", s.APIVersion, APIVersion)
	o.constant("kind", s.Kind, Kind)
	o.variables("output", s.Output)
	s.checkRegistries(o)
	s.checkMappings(o)
	s.checkTargets(o)
}

func (s *Spec) checkRegistries(o object) {
	seen := make(map[string]int)
	for i, r := range s.Registries {
		host := strings.ToLower(r.Registry)
		if first, ok := seen[host]; ok && host != "" {
			o.fault(element("registries", i), fmt.Sprintf("%s is already listed in registries[%d]", r.Registry, first))
			continue
		}
		seen[host] = i
	}
}

func (s *Spec) checkMappings(o object) {
	earlier := make(coverage)
	for i := range s.Mappings {
		m := &s.Mappings[i]
		first, ok := earlier.add(m, i)
		if !ok {
			continue
		}
		at := element("mappings", first)
		by := fmt.Sprintf("%s on line %d", at, o.place(at).line)
		if source := s.Mappings[first].source(); source != m.source() {
			by += ", whose source is " + source
		}
		o.fault(element("mappings", i), fmt.Sprintf("%s is already mapped by %s", m.source(), by))
	}
}

func (s *Spec) checkTargets(o object) {
	targets, names := make(map[string]int), make(map[string]int)
	for i, t := range s.Targets {
		at := element("targets", i)
		if first, ok := targets[t.Target]; ok && t.Target != "" {
			o.fault(at, fmt.Sprintf("%s is already a target in targets[%d]", t.Target, first))
		} else if first, ok := names[t.Name]; ok && t.Name != "" {
			o.fault(at, fmt.Sprintf("name %q is already used by targets[%d]", t.Name, first))
		}
		targets[t.Target], names[t.Name] = i, i
	}
}

// OutputPath returns where a backup writes, or "" if the spec does not say. A
// slash at the end stays: it asks for a directory.
func (s *Spec) OutputPath(now time.Time) (string, error) {
	if s == nil || s.Output == "" {
		return "", nil
	}
	if s.Output == "-" {
		return s.Output, nil
	}
	path, err := s.path(s.Output, now)
	if err != nil {
		return "", loadError([]Fault{s.fault("output", err)})
	}
	return path, nil
}

// Files are paths of files and directories that a spec names.
type Files struct{ Lists, Layouts, Certificates []string }

// Files returns what the spec reads when it is used. A path that cannot be expanded
// leads nowhere, and is left out.
func (s *Spec) Files() Files {
	var f Files
	if s == nil {
		return f
	}
	add := func(to *[]string, path string) {
		if resolved, err := s.path(path, time.Now()); path != "" && err == nil {
			*to = append(*to, resolved)
		}
	}
	for _, source := range s.Sources {
		add(&f.Lists, source.List)
		add(&f.Layouts, source.Layout)
	}
	for _, r := range s.Registries {
		for _, path := range []string{r.CAFile, r.CertFile, r.KeyFile} {
			add(&f.Certificates, path)
		}
	}
	return f
}

// Mapper returns the spec's mappings, ready for use.
func (s *Spec) Mapper() (*Mapper, error) {
	if s == nil {
		return NewMapper(nil)
	}
	return NewMapper(s.Mappings)
}

// path expands a path of the spec and puts it below the spec's folder.
func (s *Spec) path(path string, now time.Time) (string, error) {
	expanded, err := expand(path, now)
	if err != nil {
		return "", err
	}
	if expanded == "" {
		return "", fmt.Errorf("%s expands to an empty path", path)
	}
	if filepath.IsAbs(expanded) {
		return expanded, nil
	}
	joined := filepath.Join(filepath.Dir(s.name), expanded)
	if strings.HasSuffix(expanded, "/") && !strings.HasSuffix(joined, "/") {
		joined += "/"
	}
	return joined, nil
}

// fault says that the value at a path turned out wrong when it was used.
func (s *Spec) fault(at string, err error) Fault {
	p := s.places[at]
	return newFault(s.name, p, at, err)
}
