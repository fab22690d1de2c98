package migrate

import (
	"strings"

	"github.com/oras-mirror/oras-mirror/config/filter"
	"github.com/oras-mirror/oras-mirror/internal/migrate/document"
	"github.com/oras-mirror/oras-mirror/internal/migrate/draft"
)

// skopeoKeys are the keys of the YAML file of skopeo sync. * stands for a registry, ** for a
// repository in it.
var skopeoKeys = []document.Key{
	{Name: "*", Ours: "the registry of the sources"},
	{Name: "*.images", Ours: "sources"},
	{Name: "*.images.**", Ours: "a reference for each tag and digest; for `[]`, the repository"},
	{Name: "*.images-by-tag-regex", Ours: "sources"},
	{Name: "*.images-by-tag-regex.**", Ours: "`tags: {regex}`, which matches the whole tag: `^a$` becomes `a`, `a` becomes `.*(?:a).*`"},
	{Name: "*.images-by-semver", Ours: "sources"},
	{Name: "*.images-by-semver.**", Ours: "`tags: {semver}`"},
	{Name: "*.tls-verify", Ours: "`insecure` of the registry"},
	{Name: "*.cert-dir", Why: "set caFile, certFile and keyFile of the registry to the files in this folder"},
	{Name: "*.credentials", Ours: "nothing: log in with `oras login`"},
}

// skopeo reads the file of skopeo sync, whose keys are registries.
func (r *reader) skopeo(o *document.Object) {
	o.Any = "*"
	for _, name := range o.Names {
		of := o.Child(name)
		g := draft.Registry{}
		g.Name, _, _ = strings.Cut(name, "/")
		r.skopeoRegistry(of, name, &g)
		of.End()
		r.addRegistry(g, of.Line, name)
	}
}

func (r *reader) skopeoRegistry(o *document.Object, name string, g *draft.Registry) {
	if o.Has("tls-verify") && !o.Is("tls-verify") {
		g.Insecure = true
		o.Note("tls-verify", "skopeo tries http too: set plainHTTP in place of insecure if the registry has no TLS")
	}
	if credentials := o.Child("credentials"); len(credentials.Names) > 0 {
		o.Note("credentials", `a spec has no credentials: log in with "oras login %s"`, name)
	}
	images := o.Child("images")
	images.Any = "**"
	for _, repo := range images.Names {
		r.skopeoImages(images, name, repo)
	}
	r.skopeoFilters(o.Child("images-by-tag-regex"), name, func(expr string) (filter.Tags, error) {
		whole, err := wholeTag(expr)
		return filter.Tags{Regex: whole}, err
	})
	r.skopeoFilters(o.Child("images-by-semver"), name, func(constraint string) (filter.Tags, error) {
		return filter.Tags{Semver: constraint}, checkConstraint(constraint)
	})
}

// skopeoImages reads the tags and digests of a repository.
func (r *reader) skopeoImages(images *document.Object, registry, repo string) {
	key, line := images.PathOf(repo), images.LineOf(repo)
	ref, ok := r.repository(registry+"/"+repo, line, key)
	versions := images.Texts(repo)
	if !ok {
		return
	}
	if len(versions) == 0 {
		r.add(draft.Source{Line: line, Reference: ref, Referrers: draft.Referrers{None: true}})
	}
	for _, v := range versions {
		separator := ":"
		if strings.Contains(v.Value, ":") {
			separator = "@"
		}
		one, ok := r.image(ref.Name()+separator+v.Value, v.Line, key)
		if ok {
			r.add(draft.Source{Line: v.Line, Reference: one, Referrers: draft.Referrers{None: true}})
		}
	}
}

func (r *reader) skopeoFilters(o *document.Object, registry string, tags func(string) (filter.Tags, error)) {
	o.Any = "**"
	for _, repo := range o.Names {
		key, line := o.PathOf(repo), o.LineOf(repo)
		for _, one := range o.Texts(repo) {
			ref, ok := r.repository(registry+"/"+repo, line, key)
			if !ok {
				continue
			}
			s := draft.Source{Line: one.Line, Reference: ref, Referrers: draft.Referrers{None: true}}
			chosen, err := tags(one.Value)
			if err != nil {
				r.Note(one.Line, key, "%v; left out", err)
				s.Unsaid = ref.Name() + ": the filter of the tags is invalid"
			}
			s.Tags = chosen
			r.add(s)
		}
	}
}
