package discover

import (
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// kustomizationFiles are the names of kustomizations, in the order in which kustomize looks
// for them in a folder.
var kustomizationFiles = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

// kustomization is a kustomization as written.
type kustomization struct {
	manifest   *manifest // with the images of its patches
	place      Place
	uses       []use
	components []use
	overrides  []override
}

// use is a path that a kustomization refers to.
type use struct {
	path string
	Place
}

// override replaces the names of images: an entry of "images".
type override struct {
	name, newName, newTag, digest, suffix string
	Place
}

// isKustomization reports whether a document is a kustomization of kustomize, not one of Flux.
func isKustomization(o object, file string) bool {
	if o.kind == "" {
		return slices.Contains(kustomizationFiles, path.Base(file))
	}
	return o.group == "kustomize.config.k8s.io" && (o.kind == "Kustomization" || o.kind == "Component")
}

// kustomization reads a kustomization.
func (w *walk) kustomization(n *yaml.Node) {
	k := &kustomization{manifest: w.manifest, place: w.at(n)}
	for _, key := range []string{"resources", "bases", "patchesStrategicMerge"} {
		w.each(n, key, func(e *yaml.Node) { k.uses = w.used(k.uses, e) })
	}
	w.each(n, "components", func(e *yaml.Node) { k.components = w.used(k.components, e) })
	for _, key := range []string{"patches", "patchesJson6902"} {
		w.each(n, key, func(e *yaml.Node) {
			if at := strictyaml.Value(e, "path"); at != nil {
				k.uses = w.used(k.uses, at)
			}
			if text := strictyaml.Value(e, "patch"); text != nil {
				w.inline(text)
			}
		})
	}
	w.each(n, "helmCharts", func(e *yaml.Node) { w.skip(e, textOf(e, "name"), "a chart that kustomize renders") })
	w.each(n, "images", func(e *yaml.Node) {
		k.overrides = append(k.overrides, override{name: textOf(e, "name"), newName: textOf(e, "newName"), newTag: textOf(e, "newTag"),
			digest: textOf(e, "digest"), suffix: textOf(e, "tagSuffix"), Place: w.at(e)})
	})
	w.manifest.kustomizations = append(w.manifest.kustomizations, k)
}

// each calls yield for each element of the list that is the value of a key.
func (w *walk) each(n *yaml.Node, key string, yield func(*yaml.Node)) {
	for i, e := range elements(n, key) {
		w.trail = append(w.trail, step{key: key}, step{index: i})
		yield(e)
		w.trail = w.trail[:len(w.trail)-2]
	}
}

// used adds a path; what is not a path is a patch in the kustomization itself.
func (w *walk) used(all []use, n *yaml.Node) []use {
	switch {
	case n.Kind != yaml.ScalarNode || n.Value == "":
		return all
	case strings.Contains(n.Value, "\n"):
		w.inline(n)
		return all
	}
	return append(all, use{n.Value, w.at(n)})
}

// inline looks at a patch in the text of a kustomization.
func (w *walk) inline(n *yaml.Node) {
	begins := n.Line
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		begins--
	}
	for d, fault := range strictyaml.Documents([]byte(n.Value)) {
		if fault != nil {
			w.fault(n, fault.Err)
			continue
		}
		newWalk(w.build, w.manifest, w.before+begins+d.Before).document(d)
	}
}
