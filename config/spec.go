// Package config reads what to mirror, and where to: mirror specs, lists of references, and the
// mappings that name repositories in a target.
//
// [Load] and [Parse] read a spec. [Spec.Selections] returns the artifacts, repositories and
// registries that it selects, each with its platforms and referrers; the caller lists the
// tags of a repository and passes them to [filter.Tags.Select]. [Spec.Mapper] and
// [Spec.ResolveTargets] return the names and the registries of a restore. [Arguments] and
// [ReadList] read references that are not in a spec.
//
// An error about a file is a [*LoadError], which holds every fault of the file with its line
// and, where there is one, a suggestion. An error about a single word is a [*ReferenceError].
//
// The package opens no connection and starts no goroutine. It reads the spec, the lists and
// manifests that the spec names and, in [Validate], the certificates. The caller reads the
// files of policies.
package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// APIVersion and Kind are the first two keys of a mirror spec.
const (
	APIVersion = "oras-mirror/v1alpha1"
	Kind       = "Mirror"
)

// Spec is a mirror spec as written. Its methods return what it means: variables expanded,
// defaults applied, paths relative to the folder of the spec. A nil *Spec acts as an empty
// one. A Spec is safe for concurrent use.
type Spec struct {
	APIVersion string             `yaml:"apiVersion"`
	Kind       string             `yaml:"kind"`
	Registries []RegistrySettings `yaml:"registries"`
	Buckets    []BucketSettings   `yaml:"buckets"`
	Policies   []Policy           `yaml:"policies"`
	Defaults   Defaults           `yaml:"defaults"`
	Sources    []Source           `yaml:"sources"`
	Output     string             `yaml:"output"`
	Mappings   []Mapping          `yaml:"mappings"`
	Targets    []TargetEntry      `yaml:"targets"`

	file      string                         // path of the file
	positions map[string]strictyaml.Position // of every value, by its path
}

// Defaults are the settings of every source that does not override them.
type Defaults struct {
	Platforms      []Platform `yaml:"platforms"` // nil means all
	ReferrerChoice `yaml:"referrers"`
}

// Check reports the faults of the defaults while they are decoded.
func (d *Defaults) Check(o strictyaml.Object) { CheckPlatforms(o, d.Platforms) }

// Check reports the faults of the spec while it is decoded.
func (s *Spec) Check(o strictyaml.Object) {
	o.Constant("apiVersion", s.APIVersion, APIVersion)
	o.Constant("kind", s.Kind, Kind)
	checkVariables(o, "output", s.Output)
	checkRegistries(o, s.Registries)
	checkBuckets(o, s.Buckets)
	checkPolicies(o, s.Policies)
	checkMappings(o, s.Mappings)
	checkTargets(o, s.Targets)
}

// OutputPath returns the path that a backup writes, or "" if the spec has no output. It keeps
// a slash at the end, which asks for a directory. shard, if it is not empty, replaces ${SHARD}.
func (s *Spec) OutputPath(now time.Time, shard string) (string, error) {
	if s == nil || s.Output == "" {
		return "", nil
	}
	if s.Output == "-" {
		return s.Output, nil
	}
	output := s.Output
	if shard != "" {
		output = strings.ReplaceAll(output, "${SHARD}", shard)
	}
	path, err := s.path(output, now)
	if err != nil {
		return "", loadError([]Fault{s.fault("output", err)})
	}
	return path, nil
}

// Mapper returns a mapper of the spec's mappings.
func (s *Spec) Mapper() (*Mapper, error) {
	if s == nil {
		return NewMapper(nil)
	}
	return NewMapper(s.Mappings)
}

// path expands a path of the spec, which is relative to the folder of the spec.
func (s *Spec) path(path string, now time.Time) (string, error) {
	expanded, err := expand(path, now)
	if err != nil {
		return "", err
	}
	if expanded == "" {
		return "", fmt.Errorf("%s expands to an empty path", path)
	}
	if filepath.IsAbs(expanded) || isInBucket(expanded) {
		return expanded, nil
	}
	joined := filepath.Join(filepath.Dir(s.file), expanded)
	if strings.HasSuffix(expanded, "/") && !strings.HasSuffix(joined, "/") {
		joined += "/"
	}
	return joined, nil
}

// fault returns a fault in a value that turned out invalid when it was used.
func (s *Spec) fault(at string, err error) Fault {
	return newFault(s.file, s.positions[at], at, err)
}
