package migrate

import (
	"fmt"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
)

// haulerSettings are the annotations of a document, which hold for each of its images.
type haulerSettings struct {
	platform, registry string
	noExtras           bool
}

// hauler reads one document of a manifest of hauler.
func (r *reader) hauler(o *object) {
	o.text("apiVersion")
	o.text("kind")
	metadata := o.child("metadata")
	annotations := metadata.child("annotations")
	settings := haulerSettings{annotations.text("hauler.dev/platform"), annotations.text("hauler.dev/registry"), annotations.is("hauler.dev/exclude-extras")}
	annotations.endAnnotations()
	metadata.take("name")
	spec := o.child("spec")
	for _, image := range spec.objects("images") {
		r.haulerImage(image, settings)
	}
	for _, c := range spec.objects("charts") {
		r.haulerChart(c, settings)
	}
	for _, list := range spec.objects("imageTxts") {
		file := list.text("ref")
		list.note("ref", `a list of images: convert it of its own with "oras-mirror init --from FILE"`)
		r.add(source{line: list.line, unsaid: "images of " + file})
		list.end()
	}
	spec.end()
	o.end()
}

// endAnnotations reports the annotations of hauler that were not read; those of others do not
// matter.
func (o *object) endAnnotations() {
	for _, name := range o.names {
		o.taken[name] = o.taken[name] || !strings.HasPrefix(name, "hauler.dev/")
	}
	o.end()
}

func (r *reader) haulerImage(o *object, all haulerSettings) {
	o.rename("ref", "name")
	name := o.text("name")
	s := source{line: o.line, platforms: platformsOf(o.text("platform"), all.platform)}
	s.referrers.none = o.is("exclude-extras") || all.noExtras
	rewrite := o.text("rewrite")
	o.end()
	ref, ok := r.image(withRegistry(name, all.registry), o.lineOf("name"), o.pathOf("name"))
	if !ok {
		r.add(source{line: o.line, unsaid: leftOut(name)})
		return
	}
	s.reference = ref
	r.add(s)
	if rewrite != "" {
		r.haulerRewrite(ref, rewrite, o)
	}
}

// haulerRewrite adds the mapping of an image. Hauler has no target, so that the route has none.
func (r *reader) haulerRewrite(ref config.Reference, to string, o *object) {
	to = strings.Trim(to, "/")
	path, tag := to, ""
	if i := strings.LastIndex(to, ":"); i > strings.LastIndex(to, "/") {
		path, tag = to[:i], to[i+1:]
	}
	if first, rest, ok := strings.Cut(path, "/"); ok && strings.ContainsAny(first, ".:") {
		path = rest
	}
	if _, err := config.ParseReference("localhost/" + path); err != nil {
		o.note("rewrite", "%v", err)
		return
	}
	t := route{line: o.lineOf("rewrite"), key: o.pathOf("rewrite"), from: ref.Name(), path: path}
	if tag != "" && ref.Tag != "" {
		t.tag, t.as = ref.Tag, tag
	}
	r.result.routes = append(r.result.routes, t)
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

func (r *reader) haulerChart(o *object, all haulerSettings) {
	c := chart{name: o.text("name"), version: o.text("version"), images: o.is("add-images")}
	repo, secret := withoutSecrets(o.text("repoURL"))
	if secret {
		o.note("repoURL", whyLogin)
	}
	if values := values(o.texts("valuesFiles")); c.images {
		c.values = values
	}
	c.repo = repo
	for _, extra := range o.objects("extraImages") {
		if ref, ok := r.image(withRegistry(extra.text("ref"), all.registry), extra.line, extra.pathOf("ref")); ok {
			r.add(source{line: extra.line, reference: ref})
		}
		extra.end()
	}
	o.end()
	r.addChart(c, o)
}

// addChart adds a chart, or a comment if it is a local one.
func (r *reader) addChart(c chart, o *object) {
	s := chartSource(c)
	s.line = o.line
	switch why := unresolved(c.name + c.repo + c.version); {
	case why != "":
		r.note(o.line, o.path, "%s", why)
		s.unsaid = why
	case !strings.Contains(c.repo, "://"):
		why := "a chart in a local file or folder is not an artifact of a registry"
		r.note(o.line, o.path, "%s; push it with helm push", why)
		s = source{line: o.line, unsaid: fmt.Sprintf("%s: %s", c.name, why)}
	}
	r.add(s)
}
