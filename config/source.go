package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

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
	checkPlatforms(o, s.Platforms)
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

// Selected is everything that the sources of a spec select.
type Selected struct {
	Selections []Selection
	Manifests  []*Manifests // what the sources with manifests found, for messages
}

// Select returns what the sources select, in their order. It reads the lists and the manifests
// that they name. Its error is a [*LoadError] with every fault.
func (s *Spec) Select() (*Selected, error) {
	all := new(Selected)
	if s == nil {
		return all, nil
	}
	var faults []Fault
	for i, source := range s.Sources {
		faults = append(faults, s.addSource(strictyaml.Element("sources", i), source, all)...)
	}
	if len(faults) > 0 {
		return nil, loadError(faults)
	}
	return all, nil
}

// Selections returns the selections of Select.
func (s *Spec) Selections() ([]Selection, error) {
	all, err := s.Select()
	if err != nil {
		return nil, err
	}
	return all.Selections, nil
}

// addSource adds what a source selects.
func (s *Spec) addSource(at string, source Source, all *Selected) []Fault {
	var selections []Selection
	var faults []Fault
	base := s.inherit(source)
	base.Origin = s.origin(at)
	if len(source.Kubernetes) > 0 {
		var found *Manifests
		found, selections, faults = s.manifests(at, source, base)
		all.Manifests = append(all.Manifests, found)
	} else {
		selections, faults = s.selections(at, source, base)
	}
	all.Selections = append(all.Selections, selections...)
	return faults
}

func (s *Spec) selections(at string, source Source, base Selection) ([]Selection, []Fault) {
	switch {
	case source.List != "":
		return s.list(at, source, base)
	case source.Layout != "":
		return s.layout(at, source, base)
	case source.Chart != "":
		return s.chart(at, source, base)
	case source.Registry != "":
		base.Registry, base.Repositories = source.Registry, source.Repositories
		return []Selection{base}, nil
	case source.Repository != "":
		r, err := ParseReference(source.Repository)
		if err != nil {
			return nil, []Fault{s.fault(at+".repository", err)}
		}
		base.Reference = r
		return []Selection{base}, nil
	}
	return each(source.References, base), nil
}

// inherit returns the settings of a source, with those of the defaults where it has none.
func (s *Spec) inherit(source Source) Selection {
	platforms := source.Platforms
	if platforms == nil {
		platforms = s.Defaults.Platforms
	}
	base := Selection{Tags: source.Tags, Platforms: DistinctPlatforms(platforms), Optional: source.Optional}
	source.or(s.Defaults.ReferrerChoice).apply(&base)
	return base
}

// list reads the list of a source. A fault in it has the path and the line of the list.
func (s *Spec) list(at string, source Source, base Selection) ([]Selection, []Fault) {
	at += ".list"
	path, err := s.path(source.List, time.Now())
	if err != nil {
		return nil, []Fault{s.fault(at, err)}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, []Fault{s.fault(at, err)}
	}
	defer f.Close()
	read, faults := readList(path, f, base)
	if len(faults) == 0 && len(read) == 0 && !source.Optional {
		faults = []Fault{s.fault(at, fmt.Errorf("%s has no references", path))}
	}
	return read, faults
}

func (s *Spec) layout(at string, source Source, base Selection) ([]Selection, []Fault) {
	path, err := s.path(source.Layout, time.Now())
	if err != nil {
		return nil, []Fault{s.fault(at+".layout", err)}
	}
	base.Layout = path
	if source.Repository != "" {
		if base.Reference, err = ParseReference(source.Repository); err != nil {
			return nil, []Fault{s.fault(at+".repository", err)}
		}
	}
	return []Selection{base}, nil
}

func (s *Spec) origin(at string) string {
	name := filepath.ToSlash(s.file)
	if p, ok := s.positions[at]; ok {
		return fmt.Sprintf("%s:%d", name, p.Line)
	}
	return name
}

// NeedsLock returns the origin of the first source whose tags have a minAge, which only a lock
// can tell; "" if there is none.
func (s *Spec) NeedsLock() string {
	if s == nil {
		return ""
	}
	for i, source := range s.Sources {
		if source.Tags.MinAge > 0 {
			return s.origin(fmt.Sprintf("sources[%d]", i))
		}
	}
	return ""
}
