package migrate

import (
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/migrate/document"
	"github.com/oras-mirror/oras-mirror/internal/migrate/draft"
)

// haulerSettings are the annotations of a document, which hold for each of its images.
type haulerSettings struct {
	platform, registry string
	noExtras           bool
}

// hauler reads one document of a manifest of hauler.
func (r *reader) hauler(o *document.Object) {
	o.Text("apiVersion")
	o.Text("kind")
	metadata := o.Child("metadata")
	annotations := metadata.Child("annotations")
	settings := haulerSettings{annotations.Text("hauler.dev/platform"), annotations.Text("hauler.dev/registry"), annotations.Is("hauler.dev/exclude-extras")}
	annotations.Skip(func(key string) bool { return !strings.HasPrefix(key, "hauler.dev/") }) // those of others do not matter
	annotations.End()
	metadata.Take("name")
	spec := o.Child("spec")
	for _, image := range spec.Objects("images") {
		r.haulerImage(image, settings)
	}
	for _, c := range spec.Objects("charts") {
		r.haulerChart(c, settings)
	}
	for _, list := range spec.Objects("imageTxts") {
		file := list.Text("ref")
		list.Note("ref", `a list of images: convert it of its own with "oras-mirror init --from FILE"`)
		r.add(draft.Source{Line: list.Line, Unsaid: "images of " + file})
		list.End()
	}
	spec.End()
	o.End()
}

func (r *reader) haulerImage(o *document.Object, all haulerSettings) {
	o.Rename("ref", "name")
	name := o.Text("name")
	s := draft.Source{Line: o.Line, Platforms: platformsOf(o.Text("platform"), all.platform)}
	s.Referrers.None = o.Is("exclude-extras") || all.noExtras
	rewrite := o.Text("rewrite")
	o.End()
	ref, ok := r.image(withRegistry(name, all.registry), o.LineOf("name"), o.PathOf("name"))
	if !ok {
		r.add(draft.Source{Line: o.Line, Unsaid: leftOut(name)})
		return
	}
	s.Reference = ref
	r.add(s)
	if rewrite != "" {
		r.haulerRewrite(ref, rewrite, o)
	}
}

// haulerRewrite adds the mapping of an image. Hauler has no target, so that the route has none.
func (r *reader) haulerRewrite(ref config.Reference, to string, o *document.Object) {
	to = strings.Trim(to, "/")
	path, tag := to, ""
	if i := strings.LastIndex(to, ":"); i > strings.LastIndex(to, "/") {
		path, tag = to[:i], to[i+1:]
	}
	if first, rest, ok := strings.Cut(path, "/"); ok && strings.ContainsAny(first, ".:") {
		path = rest
	}
	r.rename(ref, path, tag, o.LineOf("rewrite"), o.PathOf("rewrite"))
}

// withRegistry adds a registry to the name of an image that has none.
func withRegistry(name, registry string) string {
	first, _, slash := strings.Cut(name, "/")
	if registry == "" || slash && (strings.ContainsAny(first, ".:") || first == "localhost") {
		return name
	}
	return registry + "/" + name
}

// platformsOf returns the first platform that is set, or nil for all.
func platformsOf(choices ...string) []string {
	for _, c := range choices {
		if c == "all" {
			return nil
		}
		if c != "" {
			return []string{c}
		}
	}
	return nil
}

func (r *reader) haulerChart(o *document.Object, all haulerSettings) {
	c := draft.Chart{Name: o.Text("name"), Version: o.Text("version"), Images: o.Is("add-images")}
	repo, secret := withoutSecrets(o.Text("repoURL"))
	if secret {
		o.Note("repoURL", whyLogin)
	}
	if values := document.Values(o.Texts("valuesFiles")); c.Images {
		c.Values = values
	}
	c.Repo = repo
	for _, extra := range o.Objects("extraImages") {
		if ref, ok := r.image(withRegistry(extra.Text("ref"), all.registry), extra.Line, extra.PathOf("ref")); ok {
			r.add(draft.Source{Line: extra.Line, Reference: ref})
		}
		extra.End()
	}
	o.End()
	r.addChart(c, o)
}
