package migrate

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/migrate/document"
)

// whyPrefix is the reason for a path of a registry that is no mirror.
const whyPrefix = "put the path into the references"

// host has the settings of a registry in regsync.yml that are about mirrors.
type host struct {
	object   *document.Object
	mirrors  []document.Text
	prefix   string // the path in a mirror
	priority int
}

// regsyncHosts reads the mirrors of all registries, by the names of the registries: each of
// them has its path and its priority in its own settings.
func regsyncHosts(creds []*document.Object) map[string]*host {
	all := make(map[string]*host)
	isMirror := make(map[string]bool)
	for _, o := range creds {
		priority, _ := strconv.Atoi(o.Text("priority"))
		h := &host{o, o.Texts("mirrors"), strings.Trim(o.Text("pathPrefix"), "/"), priority}
		for _, m := range h.mirrors {
			isMirror[m.Value] = true
		}
		all[o.Text("registry")] = h
	}
	for _, o := range creds {
		name := o.Text("registry")
		if h := all[name]; h.object == o && h.prefix != "" && !isMirror[name] {
			o.Note("pathPrefix", whyPrefix)
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
	priority := func(m document.Text) int {
		if other := hosts[m.Value]; other != nil {
			return other.priority
		}
		return 0
	}
	names := slices.Clone(h.mirrors)
	slices.SortStableFunc(names, func(a, b document.Text) int { return cmp.Compare(priority(b), priority(a)) })
	own, err := config.ParseMirror(name)
	if err != nil {
		return nil
	}
	var all []string
	for _, m := range names {
		place := m.Value
		if other := hosts[m.Value]; other != nil && other.prefix != "" {
			place += "/" + other.prefix
		}
		mirror, err := config.ParseMirror(place)
		switch {
		case err != nil:
			r.Note(m.Line, h.object.PathOf("mirrors"), "%v; left out", err)
			continue
		case priority(m) < h.priority:
			r.Note(m.Line, h.object.PathOf("mirrors"), "%s is asked before the registry itself, whatever its priority", place)
		}
		if !strings.EqualFold(mirror.String(), own.String()) && !slices.ContainsFunc(all, func(s string) bool { return strings.EqualFold(s, mirror.String()) }) {
			all = append(all, mirror.String())
		}
	}
	return all
}
