package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oras-mirror/oras-mirror/config/internal/grammar"
	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// distributionSpecs are the two ways in which a registry keeps referrers, as oras names them.
var distributionSpecs = []string{"v1.1-referrers-api", "v1.1-referrers-tag"}

// RegistrySettings are the settings of the connection to a registry. The zero value means all
// defaults.
type RegistrySettings struct {
	Registry          string  `yaml:"registry"`
	PlainHTTP         *bool   `yaml:"plainHTTP"` // nil means true only for names of this machine
	Insecure          bool    `yaml:"insecure"`  // skips the verification of certificates
	CAFile            string  `yaml:"caFile"`
	CertFile          string  `yaml:"certFile"`
	KeyFile           string  `yaml:"keyFile"`
	Concurrency       int     `yaml:"concurrency"`       // requests at a time; 0 means no limit of its own
	RequestsPerSecond float64 `yaml:"requestsPerSecond"` // 0 means no limit
	DistributionSpec  string  `yaml:"distributionSpec"`  // "" means detect

	Mirrors     []Mirror `yaml:"mirrors"`     // that are asked for content first, in this order
	MirrorsOnly bool     `yaml:"mirrorsOnly"` // the registry itself is never asked
}

// Check reports the faults of the settings while they are decoded.
func (r *RegistrySettings) Check(o strictyaml.Object) {
	if o.Require("registry") && r.Registry != "" {
		if reason := grammar.RegistryFault(r.Registry); reason != "" {
			o.Suggest("registry", reason, suggestRegistry(r.Registry))
		}
		r.Registry = dockerhub.Registry(r.Registry)
	}
	checkVariables(o, "caFile", r.CAFile)
	checkVariables(o, "certFile", r.CertFile)
	checkVariables(o, "keyFile", r.KeyFile)
	o.Together("certFile", "keyFile")
	if o.Valid("concurrency") && r.Concurrency < 1 {
		o.Fault("concurrency", fmt.Sprintf("must be at least 1, got %d", r.Concurrency))
	}
	if o.Valid("requestsPerSecond") && r.RequestsPerSecond <= 0 {
		o.Fault("requestsPerSecond", fmt.Sprintf("must be greater than 0, got %g", r.RequestsPerSecond))
	}
	o.Choice("distributionSpec", r.DistributionSpec, distributionSpecs...)
	r.checkMirrors(o)
}

// suggestRegistry removes a scheme and the path, and returns the result if it is valid.
func suggestRegistry(s string) string {
	if _, after, found := strings.Cut(s, "://"); found {
		s = after
	}
	host, _, _ := strings.Cut(s, "/")
	if !looksLikeRegistry(host) || grammar.RegistryFault(host) != "" {
		return ""
	}
	return host
}

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
