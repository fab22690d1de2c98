package migrate

import (
	"strconv"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/migrate/document"
	"github.com/oras-mirror/oras-mirror/internal/migrate/draft"
)

// regsyncChoice are the referrers that a step copies. A nil field is not set.
type regsyncChoice struct {
	referrers, digestTags *bool
	types                 []string
}

// regsync reads a regsync.yml.
func (r *reader) regsync(o *document.Object) {
	o.Take("version")
	creds := o.Objects("creds")
	hosts := regsyncHosts(creds)
	for _, c := range creds {
		r.regsyncRegistry(c, hosts)
	}
	defaults := o.Child("defaults")
	base := r.regsyncReferrers(defaults)
	defaults.End()
	for _, step := range o.Objects("sync") {
		r.regsyncStep(step, base)
	}
	o.End()
}

func (r *reader) regsyncRegistry(o *document.Object, hosts map[string]*host) {
	g := draft.Registry{Name: o.Text("registry")}
	login := false
	for _, key := range []string{"user", "pass", "token", "credHelper"} {
		login = o.Take(key) != nil || login
	}
	if why := unresolved(g.Name); why != "" {
		o.Note("registry", "%s", why)
		o.End()
		return
	}
	if login {
		r.Note(o.Line, o.Path, `a spec has no credentials: log in with "oras login %s"`, g.Name)
	}
	switch strings.ToLower(o.Text("tls")) {
	case "disabled":
		g.PlainHTTP = true
	case "insecure":
		g.Insecure = true
	}
	g.PerSecond, _ = strconv.ParseFloat(o.Text("reqPerSec"), 64)
	g.Concurrency, _ = strconv.Atoi(o.Text("reqConcurrent"))
	g.Mirrors = r.mirrorsOf(g.Name, hosts)
	o.End()
	r.addRegistry(g, o.Line, o.Path)
}

func (r *reader) regsyncReferrers(o *document.Object) regsyncChoice {
	c := regsyncChoice{referrers: o.Choice("referrers"), digestTags: o.Choice("digestTags")}
	for _, f := range o.Objects("referrerFilters") {
		if t := f.Text("artifactType"); t != "" {
			c.types = append(c.types, t)
		}
		f.End()
	}
	return c
}

// or returns what a step says, or else the defaults.
func (c regsyncChoice) or(base regsyncChoice) draft.Referrers {
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
	return draft.Referrers{None: !byAPI && !byTag, Types: c.types}
}

func (r *reader) regsyncStep(o *document.Object, base regsyncChoice) {
	from, to, kind := o.Text("source"), o.Text("target"), o.Text("type")
	s := draft.Source{Line: o.Line, Referrers: r.regsyncReferrers(o).or(base)}
	s.Platforms = document.Values(o.Texts("platforms"))
	if p := o.Text("platform"); p != "" {
		s.Platforms = append(s.Platforms, p)
	}
	sets := r.regsyncTags(o)
	repos := o.Child("repos")
	s.Include, s.Unsaid = r.repositoryGlobs(repos, "allow")
	exclude, unsaid := r.repositoryGlobs(repos, "deny")
	s.Exclude, s.Unsaid = exclude, s.Unsaid+unsaid
	repos.End()
	o.End()
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
		o.Note("type", "unknown type %q; left out", kind)
	}
}

// regsyncLayout reads a step whose source is a local layout.
func (r *reader) regsyncLayout(s draft.Source, from, kind string, sets []tagSet, o *document.Object) {
	path, _, tagged := strings.Cut(strings.TrimPrefix(from, "ocidir://"), ":")
	s.Layout = path
	if why := unresolved(path); why != "" {
		s.Unsaid = why
	} else if tagged || kind != "repository" || len(sets) != 1 || !sets[0].isAll() {
		s.Unsaid = "one artifact of a layout: a source has all of them"
		o.Note("source", "%s", s.Unsaid)
	}
	o.Note("target", "the artifacts of a layout have the names that stand in it: write the mapping by hand")
	r.add(s)
}

func (r *reader) regsyncImage(s draft.Source, from, to string, o *document.Object) {
	ref, ok := r.image(from, o.LineOf("source"), o.PathOf("source"))
	if !ok {
		r.add(draft.Source{Line: o.Line, Unsaid: leftOut(from)})
		return
	}
	s.Reference = ref
	r.add(s)
	r.regsyncTarget(ref, to, o)
}

func (r *reader) regsyncRepository(s draft.Source, from, to string, sets []tagSet, o *document.Object) {
	ref, ok := r.repository(from, o.LineOf("source"), o.PathOf("source"))
	if !ok {
		r.add(draft.Source{Line: o.Line, Unsaid: leftOut(from)})
		return
	}
	s.Reference = ref
	r.addSets(s, sets)
	r.regsyncTarget(ref, to, o)
}

// regsyncTarget adds the route to a target in a registry.
func (r *reader) regsyncTarget(ref config.Reference, to string, o *document.Object) {
	switch {
	case strings.HasPrefix(to, "ocidir://"):
		o.Note("target", `a layout: write it with "backup --output DIRECTORY/"`)
	case to != "":
		r.route(ref, to, o.LineOf("target"), o.PathOf("target"))
	}
}

func (r *reader) regsyncWhole(s draft.Source, from, to string, sets []tagSet, o *document.Object) {
	if why := unresolved(from + to); why != "" {
		o.Note("source", "%s", why)
		s.Unsaid = why
	}
	s.Registry = from
	r.addSets(s, sets)
	if s.Unsaid != "" {
		return
	}
	target, err := config.ParseTarget(to)
	if err != nil {
		o.Note("target", "%v; left out", err)
		return
	}
	r.spec.Routes = append(r.spec.Routes, draft.Route{Line: o.Line, Key: o.PathOf("target"), From: from, Registry: target.Registry, Path: target.Namespace})
}

// addSets adds a source for each set of tags.
func (r *reader) addSets(s draft.Source, sets []tagSet) {
	for _, set := range sets {
		one := s
		one.Tags = set.tags
		if set.unsaid != "" {
			one.Unsaid = set.unsaid
		}
		r.add(one)
	}
}
