package config

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

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

// ApplyDefaults applies the defaults of the spec to selections that are not in it, such as
// those of [Arguments].
func (s *Spec) ApplyDefaults(all []Selection) {
	if s == nil {
		return
	}
	for i := range all {
		all[i].Platforms = DistinctPlatforms(s.Defaults.Platforms)
		s.Defaults.ReferrerChoice.apply(&all[i])
	}
}

// list reads the list of a source. A fault in it has the path and the line of the list.
func (s *Spec) list(at string, source Source, base Selection) ([]Selection, []Fault) {
	at += ".list"
	name, err := s.path(source.List, time.Now())
	if err != nil {
		return nil, []Fault{s.fault(at, err)}
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, []Fault{s.fault(at, err)}
	}
	defer f.Close()
	read, faults := readList(name, f, base)
	if len(faults) == 0 && len(read) == 0 && !source.Optional {
		faults = []Fault{s.fault(at, fmt.Errorf("%s has no references", name))}
	}
	return read, faults
}

func (s *Spec) layout(at string, source Source, base Selection) ([]Selection, []Fault) {
	var err error
	if base.Layout, err = s.path(source.Layout, time.Now()); err != nil {
		return nil, []Fault{s.fault(at+".layout", err)}
	}
	if source.Repository != "" {
		if base.Reference, err = ParseReference(source.Repository); err != nil {
			return nil, []Fault{s.fault(at+".repository", err)}
		}
	}
	return []Selection{base}, nil
}

// chart selects the chart of a source.
func (s *Spec) chart(at string, source Source, base Selection) ([]Selection, []Fault) {
	c := &Chart{Repository: strings.TrimRight(source.Repo, "/"), Name: source.Chart, Version: source.Version, Images: source.Images == nil || *source.Images}
	base.Chart = c
	var err error
	if c.Repository == "" {
		c.Name = path.Base(source.Chart)
		base.Reference, err = ParseReference(strings.TrimPrefix(source.Chart, ociScheme))
	} else {
		base.Reference, err = repoReference(c.Repository, source.Chart)
	}
	if err != nil {
		return nil, []Fault{s.fault(at+".chart", err)}
	}
	var faults []Fault
	for i, value := range source.Values {
		file, err := s.path(value, time.Now())
		if err == nil {
			_, err = os.Stat(file)
		}
		if err != nil {
			faults = append(faults, s.fault(at+"."+strictyaml.Element("values", i), err))
		}
		c.Values = append(c.Values, file)
	}
	return []Selection{base}, faults
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
