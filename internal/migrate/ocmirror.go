package migrate

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/migrate/document"
	"github.com/oras-mirror/oras-mirror/internal/migrate/draft"
)

// ocMirrorKeys are the keys of an ImageSetConfiguration, v1alpha1 to v2alpha1.
var ocMirrorKeys = []document.Key{
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
func (r *reader) ocMirror(o *document.Object) {
	o.Text("apiVersion")
	o.Text("kind")
	o.Take("metadata")
	mirror := o.Child("mirror")
	for old, name := range map[string]string{"ocp": "platform", "additionalimages": "additionalImages", "blockedimages": "blockedImages"} {
		mirror.Rename(old, name)
	}
	for _, image := range mirror.Objects("additionalImages") {
		r.ocMirrorImage(image)
	}
	for _, operator := range mirror.Objects("operators") {
		catalog := operator.Text("catalog")
		operator.Note("catalog", whyOpenShift)
		r.add(draft.Source{Line: operator.Line, Unsaid: "operators of the catalog " + catalog})
		operator.End()
	}
	if mirror.Has("platform") {
		r.add(draft.Source{Line: mirror.LineOf("platform"), Unsaid: "the images of OpenShift releases (platform)"})
	}
	r.ocMirrorHelm(mirror.Child("helm"))
	mirror.End()
	o.End()
}

func (r *reader) ocMirrorImage(o *document.Object) {
	name := o.Text("name")
	repo, tag := o.Text("targetRepo"), o.Text("targetTag")
	o.End()
	ref, ok := r.image(name, o.LineOf("name"), o.PathOf("name"))
	if !ok {
		r.add(draft.Source{Line: o.Line, Unsaid: leftOut(name)})
		return
	}
	r.add(draft.Source{Line: o.Line, Reference: ref})
	if repo == "" && tag == "" {
		return
	}
	r.rename(ref, cmp.Or(strings.Trim(repo, "/"), ref.Repository), tag, o.Line, o.Path)
}

func (r *reader) ocMirrorHelm(o *document.Object) {
	o.Rename("repos", "repositories")
	for _, repo := range o.Objects("repositories") {
		repo.Take("name")
		url, secret := withoutSecrets(repo.Text("url"))
		if secret {
			repo.Note("url", whyLogin)
		}
		charts := repo.Objects("charts")
		for _, c := range charts {
			c.Rename("imagepaths", "imagePaths")
			r.addChart(draft.Chart{Name: c.Text("name"), Repo: url, Version: c.Text("version"), Images: true}, c)
			c.End()
		}
		if len(charts) == 0 {
			why := "all charts of a Helm repository: name the charts"
			r.Note(repo.Line, repo.Path, "%s", why)
			r.add(draft.Source{Line: repo.Line, Unsaid: fmt.Sprintf("%s: %s", url, why)})
		}
		repo.End()
	}
	for _, c := range o.Objects("local") {
		c.Take("version")
		c.Take("path")
		r.addChart(draft.Chart{Name: c.Text("name")}, c)
		c.End()
	}
	o.End()
}
