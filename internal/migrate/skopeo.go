package migrate

import (
	"strings"

	"github.com/oras-mirror/oras-mirror/config/filter"
)

// skopeoKeys are the keys of the YAML file of skopeo sync. * stands for a registry, ** for a
// repository in it.
var skopeoKeys = []Key{
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
func (r *reader) skopeo(o *object) {
	o.any = "*"
	for _, name := range o.names {
		n := o.take(name)
		if n == nil {
			continue
		}
		of := r.object(n, name, "*")
		g := registry{}
		g.name, _, _ = strings.Cut(name, "/")
		r.skopeoRegistry(of, name, &g)
		of.end()
		r.addRegistry(g, of.line, name)
	}
}

func (r *reader) skopeoRegistry(o *object, name string, g *registry) {
	if o.has("tls-verify") && !o.is("tls-verify") {
		g.insecure = true
		o.note("tls-verify", "skopeo tries http too: set plainHTTP in place of insecure if the registry has no TLS")
	}
	if credentials := o.child("credentials"); len(credentials.names) > 0 {
		o.note("credentials", `a spec has no credentials: log in with "oras login %s"`, name)
	}
	images := o.child("images")
	images.any = "**"
	for _, repo := range images.names {
		r.skopeoImages(images, name, repo)
	}
	r.skopeoFilters(o.child("images-by-tag-regex"), name, func(expr string) (filter.Tags, error) {
		whole, err := wholeTag(expr)
		return filter.Tags{Regex: whole}, err
	})
	r.skopeoFilters(o.child("images-by-semver"), name, func(constraint string) (filter.Tags, error) {
		return filter.Tags{Semver: constraint}, checkConstraint(constraint)
	})
}

// skopeoImages reads the tags and digests of a repository.
func (r *reader) skopeoImages(images *object, registry, repo string) {
	key, line := images.pathOf(repo), images.lineOf(repo)
	ref, ok := r.repository(registry+"/"+repo, line, key)
	versions := images.texts(repo)
	if !ok {
		return
	}
	if len(versions) == 0 {
		r.add(source{line: line, reference: ref, referrers: referrers{none: true}})
	}
	for _, v := range versions {
		separator := ":"
		if strings.Contains(v.value, ":") {
			separator = "@"
		}
		one, ok := r.image(ref.Name()+separator+v.value, v.line, key)
		if ok {
			r.add(source{line: v.line, reference: one, referrers: referrers{none: true}})
		}
	}
}

func (r *reader) skopeoFilters(o *object, registry string, tags func(string) (filter.Tags, error)) {
	o.any = "**"
	for _, repo := range o.names {
		key, line := o.pathOf(repo), o.lineOf(repo)
		for _, one := range o.texts(repo) {
			ref, ok := r.repository(registry+"/"+repo, line, key)
			if !ok {
				continue
			}
			s := source{line: one.line, reference: ref, referrers: referrers{none: true}}
			chosen, err := tags(one.value)
			if err != nil {
				r.note(one.line, key, "%v; left out", err)
				s.unsaid = ref.Name() + ": the filter of the tags is invalid"
			}
			s.tags = chosen
			r.add(s)
		}
	}
}
