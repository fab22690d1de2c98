package migrate

import (
	"strconv"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
)

// regsyncChoice are the referrers that a step copies. A nil field is not set.
type regsyncChoice struct {
	referrers, digestTags *bool
	types                 []string
}

// regsync reads a regsync.yml.
func (r *reader) regsync(o *object) {
	o.take("version")
	creds := o.objects("creds")
	hosts := regsyncHosts(creds)
	for _, c := range creds {
		r.regsyncRegistry(c, hosts)
	}
	defaults := o.child("defaults")
	base := r.regsyncReferrers(defaults)
	defaults.end()
	for _, step := range o.objects("sync") {
		r.regsyncStep(step, base)
	}
	o.end()
}

func (r *reader) regsyncRegistry(o *object, hosts map[string]*host) {
	g := registry{name: o.text("registry")}
	login := false
	for _, key := range []string{"user", "pass", "token", "credHelper"} {
		login = o.take(key) != nil || login
	}
	if why := unresolved(g.name); why != "" {
		o.note("registry", "%s", why)
		o.end()
		return
	}
	if login {
		r.note(o.line, o.path, `a spec has no credentials: log in with "oras login %s"`, g.name)
	}
	switch strings.ToLower(o.text("tls")) {
	case "disabled":
		g.plainHTTP = true
	case "insecure":
		g.insecure = true
	}
	g.perSecond, _ = strconv.ParseFloat(o.text("reqPerSec"), 64)
	g.concurrency, _ = strconv.Atoi(o.text("reqConcurrent"))
	g.mirrors = r.mirrorsOf(g.name, hosts)
	o.end()
	r.addRegistry(g, o.line, o.path)
}

func (r *reader) regsyncReferrers(o *object) regsyncChoice {
	c := regsyncChoice{referrers: o.choice("referrers"), digestTags: o.choice("digestTags")}
	for _, f := range o.objects("referrerFilters") {
		if t := f.text("artifactType"); t != "" {
			c.types = append(c.types, t)
		}
		f.end()
	}
	return c
}

// or returns what a step says, or else the defaults.
func (c regsyncChoice) or(base regsyncChoice) referrers {
	on := func(own, other *bool) bool {
		if own == nil {
			own = other
		}
		return own != nil && *own
	}
	if c.types == nil {
		c.types = base.types
	}
	byAPI, byTag := on(c.referrers, base.referrers), on(c.digestTags, base.digestTags)
	if !byAPI {
		c.types = nil
	}
	return referrers{none: !byAPI && !byTag, types: c.types}
}

func (r *reader) regsyncStep(o *object, base regsyncChoice) {
	from, to, kind := o.text("source"), o.text("target"), o.text("type")
	s := source{line: o.line, referrers: r.regsyncReferrers(o).or(base)}
	s.platforms = values(o.texts("platforms"))
	if p := o.text("platform"); p != "" {
		s.platforms = append(s.platforms, p)
	}
	sets := r.regsyncTags(o)
	repos := o.child("repos")
	s.include, s.unsaid = r.repositoryGlobs(repos, "allow")
	exclude, unsaid := r.repositoryGlobs(repos, "deny")
	s.exclude, s.unsaid = exclude, s.unsaid+unsaid
	repos.end()
	o.end()
	if strings.HasPrefix(from, "ocidir://") {
		r.regsyncLayout(s, from, kind, sets, o)
		return
	}
	switch kind {
	case "image":
		r.regsyncImage(s, from, to, o)
	case "repository", "":
		r.regsyncRepository(s, from, to, sets, o)
	case "registry":
		r.regsyncWhole(s, from, to, sets, o)
	default:
		o.note("type", "unknown type %q; left out", kind)
	}
}

// regsyncLayout reads a step whose source is a local layout.
func (r *reader) regsyncLayout(s source, from, kind string, sets []tagSet, o *object) {
	path, _, tagged := strings.Cut(strings.TrimPrefix(from, "ocidir://"), ":")
	s.layout = path
	if why := unresolved(path); why != "" {
		s.unsaid = why
	} else if tagged || kind != "repository" || len(sets) != 1 || !sets[0].isAll() {
		s.unsaid = "one artifact of a layout: a source has all of them"
		o.note("source", "%s", s.unsaid)
	}
	o.note("target", "the artifacts of a layout have the names that stand in it: write the mapping by hand")
	r.add(s)
}

func (r *reader) regsyncImage(s source, from, to string, o *object) {
	ref, ok := r.image(from, o.lineOf("source"), o.pathOf("source"))
	if !ok {
		r.add(source{line: o.line, unsaid: leftOut(from)})
		return
	}
	s.reference = ref
	r.add(s)
	r.regsyncTarget(ref, to, o)
}

func (r *reader) regsyncRepository(s source, from, to string, sets []tagSet, o *object) {
	ref, ok := r.repository(from, o.lineOf("source"), o.pathOf("source"))
	if !ok {
		r.add(source{line: o.line, unsaid: leftOut(from)})
		return
	}
	s.reference = ref
	r.addSets(s, sets)
	r.regsyncTarget(ref, to, o)
}

// regsyncTarget adds the route to a target in a registry.
func (r *reader) regsyncTarget(ref config.Reference, to string, o *object) {
	switch {
	case strings.HasPrefix(to, "ocidir://"):
		o.note("target", `a layout: write it with "backup --output DIRECTORY/"`)
	case to != "":
		r.route(ref, to, o.lineOf("target"), o.pathOf("target"))
	}
}

func (r *reader) regsyncWhole(s source, from, to string, sets []tagSet, o *object) {
	if why := unresolved(from + to); why != "" {
		o.note("source", "%s", why)
		s.unsaid = why
	}
	s.registry = from
	r.addSets(s, sets)
	if s.unsaid != "" {
		return
	}
	target, err := config.ParseTarget(to)
	if err != nil {
		o.note("target", "%v; left out", err)
		return
	}
	r.result.routes = append(r.result.routes, route{line: o.line, key: o.pathOf("target"), from: from, registry: target.Registry, path: target.Namespace})
}

// addSets adds a source for each set of tags.
func (r *reader) addSets(s source, sets []tagSet) {
	for _, set := range sets {
		one := s
		one.tags = set.tags
		if set.unsaid != "" {
			one.unsaid = set.unsaid
		}
		r.add(one)
	}
}
