package config

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Source is one element of a spec's sources. Exactly one of References,
// Repository (without Layout), List and Layout is set.
type Source struct {
	References []Reference `yaml:"-"` // of a source that is a mere string

	Repository string `yaml:"repository"` // with Layout: what artifacts with a bare tag are called
	Tags       Tags   `yaml:"tags"`
	List       string `yaml:"list"`
	Layout     string `yaml:"layout"`
	Referrers  *bool  `yaml:"referrers"` // nil means what defaults say
	Optional   bool   `yaml:"optional"`
}

// Selection is one thing to mirror, ready for the engine.
type Selection struct {
	Reference Reference // an artifact, or a repository
	Tags      Tags      // which tags of the repository; the zero value means all
	Layout    string    // a local OCI layout instead; Reference is then the repository that names bare tags, if any
	Referrers bool      // signatures, SBOMs and the like come along
	Optional  bool      // it is no error if nothing is selected
	Origin    string    // where it was asked for: "mirror.yaml:12", "images.txt:3", "argument 1"
}

// UnmarshalText takes a source that is a string: one reference, or several
// tags of one repository.
func (s *Source) UnmarshalText(text []byte) (err error) {
	s.References, err = ParseReferences(string(text))
	return err
}

func (s *Source) check(o object) {
	o.exclusive("list", "repository", "layout", "tags")
	o.exclusive("layout", "tags")
	o.oneOf("a source", "repository", "list", "layout")
	o.variables("list", s.List)
	o.variables("layout", s.Layout)
	if s.Repository != "" {
		s.checkRepository(o)
	}
}

func (s *Source) checkRepository(o object) {
	r, err := ParseReference(s.Repository)
	switch {
	case err != nil:
		o.wrong("repository", err)
	case !r.IsRepository():
		o.suggest("repository", fmt.Sprintf("%q names one artifact, not a repository", s.Repository), r.Name())
	}
}

// Selections returns what the spec's sources ask for, in their order. Lists are
// read here. Its error is a [*LoadError] with all that is wrong.
func (s *Spec) Selections() ([]Selection, error) {
	if s == nil {
		return nil, nil
	}
	var all []Selection
	var faults []Fault
	for i, source := range s.Sources {
		selections, wrong := s.selections(element("sources", i), source)
		all = append(all, selections...)
		faults = append(faults, wrong...)
	}
	if len(faults) > 0 {
		return nil, loadError(faults)
	}
	return all, nil
}

func (s *Spec) selections(at string, source Source) ([]Selection, []Fault) {
	base := Selection{
		Tags:      source.Tags,
		Referrers: s.referrers(source),
		Optional:  source.Optional,
		Origin:    s.origin(at),
	}
	switch {
	case source.List != "":
		return s.list(at, source, base)
	case source.Layout != "":
		return s.layout(at, source, base)
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

// list reads a list. What is wrong in it is said with its own name and line.
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
	read, faults := readList(path, f)
	if len(faults) == 0 && len(read) == 0 && !source.Optional {
		faults = []Fault{s.fault(at, fmt.Errorf("%s has no references", path))}
	}
	for i := range read {
		read[i].Referrers, read[i].Optional = base.Referrers, base.Optional
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

func (s *Spec) referrers(source Source) bool {
	for _, said := range []*bool{source.Referrers, s.Defaults.Referrers} {
		if said != nil {
			return *said
		}
	}
	return true
}

func (s *Spec) origin(at string) string {
	name := filepath.ToSlash(s.name)
	if p, ok := s.places[at]; ok {
		return fmt.Sprintf("%s:%d", name, p.line)
	}
	return name
}

// each returns base once for every reference.
func each(references []Reference, base Selection) []Selection {
	all := make([]Selection, len(references))
	for i, r := range references {
		all[i] = base
		all[i].Reference = r
	}
	return all
}
