package migrate

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
)

// whyPrefix is the reason for a path of a registry that is no mirror.
const whyPrefix = "put the path into the references"

// host has the settings of a registry in regsync.yml that are about mirrors.
type host struct {
	object   *object
	mirrors  []text
	prefix   string // the path in a mirror
	priority int
}

// regsyncHosts reads the mirrors of all registries, by the names of the registries: each of
// them has its path and its priority in its own settings.
func regsyncHosts(creds []*object) map[string]*host {
	all := make(map[string]*host)
	isMirror := make(map[string]bool)
	for _, o := range creds {
		priority, _ := strconv.Atoi(o.text("priority"))
		h := &host{o, o.texts("mirrors"), strings.Trim(o.text("pathPrefix"), "/"), priority}
		for _, m := range h.mirrors {
			isMirror[m.value] = true
		}
		all[o.text("registry")] = h
	}
	for _, o := range creds {
		name := o.text("registry")
		if h := all[name]; h.object == o && h.prefix != "" && !isMirror[name] {
			o.note("pathPrefix", whyPrefix)
		}
	}
	return all
}

// mirrorsOf returns the mirrors of a registry in the order in which they are asked, the one
// with the highest priority first.
func (r *reader) mirrorsOf(name string, hosts map[string]*host) []string {
	h := hosts[name]
	if h == nil {
		return nil
	}
	priority := func(m text) int {
		if other := hosts[m.value]; other != nil {
			return other.priority
		}
		return 0
	}
	names := slices.Clone(h.mirrors)
	slices.SortStableFunc(names, func(a, b text) int { return cmp.Compare(priority(b), priority(a)) })
	own, err := config.ParseMirror(name)
	if err != nil {
		return nil
	}
	var all []string
	for _, m := range names {
		place := m.value
		if other := hosts[m.value]; other != nil && other.prefix != "" {
			place += "/" + other.prefix
		}
		mirror, err := config.ParseMirror(place)
		switch {
		case err != nil:
			r.note(m.line, h.object.pathOf("mirrors"), "%v; left out", err)
			continue
		case priority(m) < h.priority:
			r.note(m.line, h.object.pathOf("mirrors"), "%s is asked before the registry itself, whatever its priority", place)
		}
		if !strings.EqualFold(mirror.String(), own.String()) && !slices.ContainsFunc(all, func(s string) bool { return strings.EqualFold(s, mirror.String()) }) {
			all = append(all, mirror.String())
		}
	}
	return all
}
