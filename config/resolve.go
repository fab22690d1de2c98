package config

import (
	"slices"
	"strings"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// Registry returns the settings of a registry, with the paths of its certificates expanded, or
// the zero value if the spec does not list it. Its error is a [*LoadError].
func (s *Spec) Registry(host string) (RegistrySettings, error) {
	if s == nil {
		return RegistrySettings{}, nil
	}
	i := s.indexOf(host)
	if i < 0 {
		return RegistrySettings{}, nil
	}
	settings := s.Registries[i]
	var faults []Fault
	resolve := func(key string, path *string) {
		if *path == "" {
			return
		}
		resolved, err := s.path(*path, time.Now())
		if err != nil {
			faults = append(faults, s.fault(strictyaml.Element("registries", i)+"."+key, err))
		}
		*path = resolved
	}
	resolve("caFile", &settings.CAFile)
	resolve("certFile", &settings.CertFile)
	resolve("keyFile", &settings.KeyFile)
	return settings, loadError(faults)
}

// Asked returns the registries that are asked for the content of some: themselves, unless they
// have mirrorsOnly, and their mirrors. Each is returned once.
func (s *Spec) Asked(registries []string) []string {
	var all []string
	add := func(registry string) {
		if !slices.Contains(all, registry) {
			all = append(all, registry)
		}
	}
	for _, name := range registries {
		var r RegistrySettings
		if s != nil {
			r = s.settingsOf(name)
		}
		if !r.MirrorsOnly {
			add(name)
		}
		for _, m := range r.Mirrors {
			add(m.Registry)
		}
	}
	return all
}

// settingsOf returns the settings of a registry as they are written.
func (s *Spec) settingsOf(host string) RegistrySettings {
	if i := s.indexOf(host); i >= 0 {
		return s.Registries[i]
	}
	return RegistrySettings{}
}

// indexOf returns the index of a registry in the list, -1 if it is not there.
func (s *Spec) indexOf(host string) int {
	return slices.IndexFunc(s.Registries, func(r RegistrySettings) bool { return strings.EqualFold(r.Registry, dockerhub.Registry(host)) })
}

// ResolveBuckets returns the settings of all buckets, with the paths of their certificates
// expanded. Its error is a [*LoadError].
func (s *Spec) ResolveBuckets() ([]BucketSettings, error) {
	if s == nil {
		return nil, nil
	}
	all := slices.Clone(s.Buckets)
	var faults []Fault
	for i := range all {
		if all[i].CAFile == "" {
			continue
		}
		path, err := s.path(all[i].CAFile, time.Now())
		if err != nil {
			faults = append(faults, s.fault(strictyaml.Element("buckets", i)+".caFile", err))
		}
		all[i].CAFile = path
	}
	return all, loadError(faults)
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
