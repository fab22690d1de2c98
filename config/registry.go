package config

import (
	"fmt"
	"slices"
	"strings"

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

// checkMirrors checks the mirrors of a registry.
func (r *RegistrySettings) checkMirrors(o strictyaml.Object) {
	o.NotEmpty("mirrors")
	if o.Has("mirrorsOnly") && !o.Has("mirrors") {
		o.Fault("mirrorsOnly", "mirrorsOnly requires mirrors")
	}
	if !o.Valid("mirrors") {
		return
	}
	for i, m := range r.Mirrors {
		at := strictyaml.Element("mirrors", i)
		first := slices.IndexFunc(r.Mirrors, m.isSame)
		switch {
		case m.isSame(Mirror{Registry: r.Registry}):
			o.Fault(at, fmt.Sprintf("%s is the registry itself, which is asked after its mirrors anyway", m))
		case first < i:
			o.Fault(at, fmt.Sprintf("%s is already listed in mirrors[%d]", m, first))
		}
	}
}

// checkRegistries reports registries that are listed twice.
func checkRegistries(o strictyaml.Object, all []RegistrySettings) {
	seen := make(map[string]int)
	for i, r := range all {
		host := strings.ToLower(r.Registry)
		if first, ok := seen[host]; ok && host != "" {
			o.Fault(strictyaml.Element("registries", i), fmt.Sprintf("%s is already listed in registries[%d]", r.Registry, first))
			continue
		}
		seen[host] = i
	}
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
