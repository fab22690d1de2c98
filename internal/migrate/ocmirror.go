package migrate

import (
	"fmt"
	"strings"
)

// ocMirrorKeys are the keys of an ImageSetConfiguration, v1alpha1 to v2alpha1.
var ocMirrorKeys = []Key{
	{Name: "apiVersion"},
	{Name: "kind"},
	{Name: "metadata"},
	{Name: "archiveSize", Why: `size of the files of an archive, in GiB: use "backup --part-size"`},
	{Name: "storageConfig", Why: "oras-mirror keeps no state: what is there is in the layout or the registry"},
	{Name: "mirror"},
	{Name: "mirror.platform", Why: whyOpenShift},
	{Name: "mirror.operators", Ours: "a comment for each catalog"},
	{Name: "mirror.operators[].catalog", Ours: "a comment"},
	{Name: "mirror.operators[].packages", Why: whyOpenShift},
	{Name: "mirror.operators[].full", Why: whyOpenShift},
	{Name: "mirror.operators[].headsOnly", Why: whyOpenShift},
	{Name: "mirror.operators[].skipDependencies", Why: whyOpenShift},
	{Name: "mirror.operators[].targetCatalog", Why: whyOpenShift},
	{Name: "mirror.operators[].targetName", Why: whyOpenShift},
	{Name: "mirror.operators[].targetTag", Why: whyOpenShift},
	{Name: "mirror.operators[].originalRef", Why: whyOpenShift},
	{Name: "mirror.operators[].targetCatalogSourceTemplate", Why: "oras-mirror writes no resources of a cluster"},
	{Name: "mirror.additionalImages", Ours: "sources"},
	{Name: "mirror.additionalImages[].name", Ours: "a reference; without a tag, `latest`"},
	{Name: "mirror.additionalImages[].targetRepo", Ours: "a mapping"},
	{Name: "mirror.additionalImages[].targetTag", Ours: "a mapping with `tags`"},
	{Name: "mirror.blockedImages", Why: "only images that operators, releases and charts bring along are blocked: leave them out by hand"},
	{Name: "mirror.samples", Why: "oc-mirror does not implement samples either"},
	{Name: "mirror.helm"},
	{Name: "mirror.helm.repositories", Ours: "sources"},
	{Name: "mirror.helm.repositories[].name"},
	{Name: "mirror.helm.repositories[].url", Ours: "`repo`"},
	{Name: "mirror.helm.repositories[].charts", Ours: "sources; without it, a comment: the charts of a repository cannot be listed in a spec"},
	{Name: "mirror.helm.repositories[].charts[].name", Ours: "`chart`"},
	{Name: "mirror.helm.repositories[].charts[].version", Ours: "`version`"},
	{Name: "mirror.helm.repositories[].charts[].path", Why: "the path of a chart in a repository is found by its name"},
	{Name: "mirror.helm.repositories[].charts[].imagePaths", Why: "images are found in annotations, Images.lock and Kubernetes manifests: add others by hand"},
	{Name: "mirror.helm.repositories[].charts[].values", Why: "write these values into a file, and set values: [FILE] of the chart"},
	{Name: "mirror.helm.local", Ours: "a comment for each chart"},
	{Name: "mirror.helm.local[].name", Ours: "a comment"},
	{Name: "mirror.helm.local[].path", Ours: "a comment"},
	{Name: "mirror.helm.local[].version"},
	{Name: "mirror.helm.local[].imagePaths", Why: "images are found in annotations, Images.lock and Kubernetes manifests: add others by hand"},
	{Name: "mirror.helm.local[].values", Why: "write these values into a file, and set values: [FILE] of the chart"},
}

// ocMirror reads an ImageSetConfiguration.
func (r *reader) ocMirror(o *object) {
	o.text("apiVersion")
	o.text("kind")
	o.take("metadata")
	mirror := o.child("mirror")
	for old, name := range map[string]string{"ocp": "platform", "additionalimages": "additionalImages", "blockedimages": "blockedImages"} {
		mirror.rename(old, name)
	}
	for _, image := range mirror.objects("additionalImages") {
		r.ocMirrorImage(image)
	}
	for _, operator := range mirror.objects("operators") {
		catalog := operator.text("catalog")
		operator.note("catalog", whyOpenShift)
		r.add(source{line: operator.line, unsaid: "operators of the catalog " + catalog})
		operator.end()
	}
	if mirror.has("platform") {
		r.add(source{line: mirror.lineOf("platform"), unsaid: "the images of OpenShift releases (platform)"})
	}
	r.ocMirrorHelm(mirror.child("helm"))
	mirror.end()
	o.end()
}

func (r *reader) ocMirrorImage(o *object) {
	name := o.text("name")
	repo, tag := o.text("targetRepo"), o.text("targetTag")
	o.end()
	ref, ok := r.image(name, o.lineOf("name"), o.pathOf("name"))
	if !ok {
		r.add(source{line: o.line, unsaid: leftOut(name)})
		return
	}
	r.add(source{line: o.line, reference: ref})
	if repo == "" && tag == "" {
		return
	}
	t := route{line: o.line, key: o.path, from: ref.Name(), path: strings.Trim(repo, "/")}
	if t.path == "" {
		t.path = ref.Repository
	}
	if tag != "" && ref.Tag != "" {
		t.tag, t.as = ref.Tag, tag
	}
	r.result.routes = append(r.result.routes, t)
}

func (r *reader) ocMirrorHelm(o *object) {
	o.rename("repos", "repositories")
	for _, repo := range o.objects("repositories") {
		repo.take("name")
		url, secret := withoutSecrets(repo.text("url"))
		if secret {
			repo.note("url", whyLogin)
		}
		charts := repo.objects("charts")
		for _, c := range charts {
			c.rename("imagepaths", "imagePaths")
			r.addChart(chart{name: c.text("name"), repo: url, version: c.text("version"), images: true}, c)
			c.end()
		}
		if len(charts) == 0 {
			why := "all charts of a Helm repository: name the charts"
			r.note(repo.line, repo.path, "%s", why)
			r.add(source{line: repo.line, unsaid: fmt.Sprintf("%s: %s", url, why)})
		}
		repo.end()
	}
	for _, c := range o.objects("local") {
		c.take("version")
		c.take("path")
		r.addChart(chart{name: c.text("name")}, c)
		c.end()
	}
	o.end()
}
