package clientconfig

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
)

// Routes computes where selections are stored below a target. It derives the routes of
// whole registries from the mappings, all others from names. A selection of a layout
// must have been replaced by the references in the layout. The error joins a [*Refusal]
// for each thing that no runtime can follow, such as a tag that is renamed in the mirror.
func Routes(selections []config.Selection, mappings []config.Mapping, target config.Target) ([]Route, error) {
	mapper, err := config.NewMapper(mappings)
	if err != nil {
		return nil, err
	}
	p := &planner{mapper: mapper, mappings: mappings, target: target, seen: make(map[string]bool)}
	var errs []error
	for _, s := range selections { // whole registries first: their routes may cover the others
		if s.Registry != "" {
			errs = append(errs, p.registry(s))
		}
	}
	for _, s := range selections {
		if s.Registry == "" && s.Reference.Repository != "" {
			errs = append(errs, p.repository(s))
		}
	}
	return sorted(p.routes), errors.Join(errs...)
}

type planner struct {
	mapper   *config.Mapper
	mappings []config.Mapping
	target   config.Target
	routes   []Route
	seen     map[string]bool // keys of routes and refusals
}

// once reports whether it sees a key for the first time.
func (p *planner) once(key string) bool {
	if p.seen[key] {
		return false
	}
	p.seen[key] = true
	return true
}

// repository adds the route of the repository that a selection names.
func (p *planner) repository(s config.Selection) error {
	if err := p.tags(s); err != nil {
		return err
	}
	bare := config.Reference{Registry: s.Reference.Registry, Repository: s.Reference.Repository}
	path, _, ok, err := p.mapper.Map(bare)
	if err != nil || !ok || !p.once(bare.Name()) {
		return err
	}
	p.add(Route{Registry: bare.Registry, Path: bare.Repository, Location: p.target.Join(path)})
	return nil
}

// add adds a route, unless the present ones imply it.
func (p *planner) add(r Route) {
	if implied, ok := p.implied(r); !ok || implied != r.Location {
		p.routes = append(p.routes, r)
	}
}

// implied returns the location of a route by the present routes: the longest that
// matches counts.
func (p *planner) implied(r Route) (location string, ok bool) {
	longest := -1
	for _, present := range p.routes {
		rest, matches := under(r.Path, present.Path)
		if present.Below && present.Registry == r.Registry && matches && len(present.Path) > longest {
			longest, location, ok = len(present.Path), join(present.Location, rest), true
		}
	}
	return location, ok
}

// probe is a path component that no mapping names.
const probe = "0mirror-probe0"

// registry adds routes for a whole registry: one for the registry, and one for each
// path at which another mapping may apply.
func (p *planner) registry(s config.Selection) error {
	if err := p.tags(s); err != nil {
		return err
	}
	for _, m := range p.deciding(s.Registry) {
		if m.SourcePattern != "" {
			return &Refusal{
				Subject: s.Registry,
				Reason:  "is mirrored as a whole, but the result of the pattern " + m.SourcePattern + " depends on the repositories it has",
				Hint:    "list its repositories as sources, or map it by a prefix: {source: " + s.Registry + ", target: …}",
			}
		}
	}
	for _, stop := range p.stops(s.Registry) {
		below, _, ok, err := p.mapper.Map(config.Reference{Registry: s.Registry, Repository: join(stop, probe)})
		if err == nil && ok && p.once(s.Registry+"/"+stop+"/") {
			location := strings.Trim(strings.TrimSuffix(p.target.Join(below), probe), "/")
			p.add(Route{Registry: s.Registry, Path: stop, Below: true, Location: location})
		}
		at, _, ok, err := p.mapper.Map(config.Reference{Registry: s.Registry, Repository: stop})
		if err == nil && ok && stop != "" && p.once(s.Registry+"/"+stop) {
			p.add(Route{Registry: s.Registry, Path: stop, Location: p.target.Join(at)})
		}
	}
	return nil
}

// stops returns the paths at which another mapping may begin to apply, shortest first.
// One too many does no harm: the mapper decides.
func (p *planner) stops(registry string) []string {
	var all []Route
	add := func(path string) { all = append(all, Route{Path: path}) }
	add("")
	for _, m := range p.deciding(registry) {
		path := m.Source
		if first, rest, _ := strings.Cut(path, "/"); strings.EqualFold(first, registry) {
			path = rest
		}
		add(path)
		if registry == "docker.io" && path != "" && !strings.Contains(path, "/") {
			add("library/" + path) // docker.io/PATH is short for it
		}
	}
	stops := make([]string, len(all))
	for i, r := range sorted(all) {
		stops[i] = r.Path
	}
	return stops
}

// tags refuses tags that are renamed in the mirror: clients ask for the original one.
func (p *planner) tags(s config.Selection) error {
	for _, tag := range p.renamed(s) {
		ref := s.Reference
		if ref.Repository == "" {
			continue
		}
		ref.Tag, ref.Digest = tag, ""
		_, to, ok, err := p.mapper.Map(ref)
		if err == nil && ok && to != tag && p.once("tag "+ref.String()) {
			return &Refusal{
				Subject: ref.String(),
				Reason:  "has the tag " + to + " in the mirror, and no runtime can rename tags",
				Hint:    "remove tags from the mapping, or mirror it a second time under its own tag",
			}
		}
	}
	if s.Registry != "" {
		return p.registryTags(s)
	}
	return nil
}

// renamed returns tags of a selection that a mapping could rename. It takes "x" for
// each *.
func (p *planner) renamed(s config.Selection) []string {
	switch {
	case s.Reference.Tag != "":
		return []string{s.Reference.Tag}
	case s.Reference.Digest != "":
		return nil
	case !s.Tags.NeedsList():
		return s.Tags.Names
	}
	selected := s.Tags
	selected.Latest = 0
	var all []string
	for _, m := range p.mappings {
		for _, t := range m.Tags {
			tag := strings.Replace(t.Source, "*", "x", 1)
			chosen, err := selected.Select([]string{tag})
			if err != nil || tag != t.Source || slices.Contains(chosen, tag) {
				all = append(all, tag)
			}
		}
	}
	return all
}

func (p *planner) registryTags(s config.Selection) error {
	for _, m := range p.deciding(s.Registry) {
		if len(m.Tags) > 0 {
			return &Refusal{
				Subject: s.Registry,
				Reason:  "is mirrored as a whole, and the mapping " + m.Source + " renames tags, which no runtime can do",
				Hint:    "list its repositories as sources",
			}
		}
	}
	return nil
}

// deciding returns the mappings that may apply to a registry, up to one that applies to
// all of it: the first match wins.
func (p *planner) deciding(registry string) []config.Mapping {
	var all []config.Mapping
	for _, m := range p.mappings {
		if concerns(m, registry) {
			all = append(all, m)
		}
		if strings.EqualFold(m.Source, registry) {
			break
		}
	}
	return all
}

// concerns reports whether a mapping may apply to a repository of a registry: it names
// that registry or none, or its pattern can match a name of it.
func concerns(m config.Mapping, registry string) bool {
	if m.SourcePattern != "" {
		pattern, err := regexp.Compile(m.SourcePattern)
		if err != nil {
			return true
		}
		literal, _ := pattern.LiteralPrefix()
		name := registry + "/"
		return strings.HasPrefix(name, literal) || strings.HasPrefix(literal, name)
	}
	first, _, _ := strings.Cut(m.Source, "/")
	named := strings.ContainsAny(first, ".:") || first == "localhost"
	return !named || strings.EqualFold(first, registry)
}
