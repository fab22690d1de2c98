package config

import (
	"fmt"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/oras-mirror/oras-mirror/config/filter"
	"github.com/oras-mirror/oras-mirror/config/internal/grammar"
	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// Source is an element of the sources of a spec. Exactly one of References, Repository
// (without Layout), Registry, List, Layout, Kubernetes and Chart is set.
type Source struct {
	References []Reference `yaml:"-"` // of a source that is a string

	Repository   string              `yaml:"repository"` // with Layout: the repository of artifacts with a bare tag
	Registry     string              `yaml:"registry"`
	Repositories filter.Repositories `yaml:"repositories"`
	Tags         filter.Tags         `yaml:"tags"`
	List         string              `yaml:"list"`
	Layout       string              `yaml:"layout"`
	Kubernetes   Globs               `yaml:"kubernetes"`
	Chart        string              `yaml:"chart"`
	Repo         string              `yaml:"repo"`      // URL of the Helm repository of Chart; "": Chart is oci://REGISTRY/REPOSITORY
	Version      string              `yaml:"version"`   // of Chart
	Images       *bool               `yaml:"images"`    // of Chart; nil means true
	Values       []string            `yaml:"values"`    // of Chart; nil means that it is not rendered
	Platforms    []Platform          `yaml:"platforms"` // nil means those of the defaults
	Optional     bool                `yaml:"optional"`

	ReferrerChoice `yaml:"referrers"` // the zero value means that of the defaults
}

// UnmarshalText parses a source that is a string by parseReferences.
func (s *Source) UnmarshalText(text []byte) (err error) {
	s.References, err = parseReferences(string(text))
	return err
}

// Synonyms maps the keys of other tools to those that mean the same here.
func (s *Source) Synonyms() map[string]string {
	return map[string]string{"image": "repository", "name": "repository", "ref": "repository", "reference": "repository", "path": "layout", "file": "list"}
}

// Check reports the faults of the source while it is decoded.
func (s *Source) Check(o strictyaml.Object) {
	o.Exclusive("list", "repository", "registry", "layout", "tags")
	o.Exclusive("layout", "registry", "tags")
	o.Exclusive("registry", "repository")
	o.Exclusive("kubernetes", "repository", "registry", "list", "layout", "tags")
	o.OneOf("a source", "repository", "registry", "list", "layout", "kubernetes", "chart")
	s.checkChart(o)
	if o.Has("repositories") && !o.Has("registry") {
		o.Fault("repositories", "repositories requires registry")
	}
	CheckPlatforms(o, s.Platforms)
	checkVariables(o, "list", s.List)
	checkVariables(o, "layout", s.Layout)
	checkFileGlobs(o, "kubernetes", s.Kubernetes)
	if s.Repository != "" {
		s.checkRepository(o)
	}
	if s.Registry != "" {
		o.Error("registry", checkSourceRegistry(s.Registry))
		s.Registry = dockerhub.Registry(s.Registry)
	}
}

func (s *Source) checkRepository(o strictyaml.Object) {
	r, err := ParseReference(s.Repository)
	switch {
	case err != nil:
		o.Error("repository", err)
	case !r.IsRepository():
		o.Suggest("repository", fmt.Sprintf("%q names one artifact, not a repository", s.Repository), r.Name())
	}
}

func (s *Source) checkChart(o strictyaml.Object) {
	o.Exclusive("chart", "repository", "registry", "list", "layout", "kubernetes", "tags")
	for _, key := range []string{"repo", "version", "images", "values"} {
		if o.Has(key) && !o.Has("chart") {
			o.Fault(key, key+" requires chart")
		}
	}
	if o.Valid("repo") {
		if _, reason := parseRepo(s.Repo); reason != "" {
			o.Fault("repo", reason)
		}
	}
	if o.Valid("chart") {
		o.Error("chart", chartFault(s.Chart, o.Has("repo")))
	}
	if _, err := semver.NewConstraint(s.Version); o.Valid("version") && s.Version != "" && err != nil {
		o.Fault("version", fmt.Sprintf("invalid version constraint %q", s.Version))
	}
	s.checkValues(o)
}

// checkValues reports faults of the values that a chart is rendered with.
func (s *Source) checkValues(o strictyaml.Object) {
	o.NotEmpty("values")
	if len(s.Values) > 0 && s.Images != nil && !*s.Images {
		o.Fault("values", "values and images: false cannot be used together")
	}
	for i, file := range s.Values {
		checkVariables(o, strictyaml.Element("values", i), file)
	}
}

// checkSourceRegistry returns a *ReferenceError if a reference cannot start with the registry.
func checkSourceRegistry(s string) error {
	reason := sourceRegistryFault(s)
	if reason == "" {
		return nil
	}
	fixed := strings.TrimSpace(s)
	if _, after, ok := strings.Cut(fixed, "://"); ok {
		fixed = after
	}
	fixed, _, _ = strings.Cut(fixed, "/")
	if sourceRegistryFault(fixed) != "" {
		fixed = ""
	}
	return &ReferenceError{Reference: s, Reason: reason, Suggestion: fixed}
}

func sourceRegistryFault(s string) string {
	if reason := commonFault(s); reason != "" {
		return reason
	}
	if !looksLikeRegistry(s) {
		return "not a registry: it has no dot or colon and is not localhost"
	}
	return grammar.RegistryFault(s)
}
