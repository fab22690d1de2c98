package discover

import (
	"cmp"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// image looks at the value of a field that may name an image.
func (w *walk) image(n *yaml.Node) {
	path := w.trail[w.object.depth:]
	ofPod := inPodTemplate(path)
	switch {
	case !ofPod && !w.object.isKnown(path):
		w.unknown(n)
	case isTemplate(n):
		w.fault(n, &TemplateError{Text: opensTemplate + " ... }}"})
	case n.Kind != yaml.ScalarNode:
		w.skip(n, assembled(n), "it is not a string")
	case n.ShortTag() == "!!null" || n.Value == "":
	case n.ShortTag() != "!!str":
		w.fault(n, fmt.Errorf("%s is not the name of an image; put it in quotes: %q", n.Value, n.Value))
	case w.object.fillsIn() && unresolved(n.Value) != nil:
		w.skip(n, n.Value, "its controller fills it in")
	case n.Value == "auto":
		w.skip(n, n.Value, "a webhook, such as that of Istio, replaces it")
	default:
		w.manifest.images = append(w.manifest.images, Image{Name: n.Value, Place: w.at(n), fixed: !matchesAny(overridable, path)})
	}
}

// isTemplate reports whether a value is {{ ... }} without quotes, which YAML reads as a mapping
// whose key is a mapping.
func isTemplate(n *yaml.Node) bool {
	return n.Kind == yaml.MappingNode && n.Style&yaml.FlowStyle != 0 && len(n.Content) > 0 && n.Content[0].Kind == yaml.MappingNode
}

// unknown notes a field that is not known to name an image but looks so.
func (w *walk) unknown(n *yaml.Node) {
	switch key := w.trail.last(); {
	case key == "reference":
	case n.Kind == yaml.ScalarNode && looksLikeImage(n.Value):
		w.skip(n, n.Value, "")
	case n.Kind == yaml.MappingNode:
		if name := assembled(n); name != "" {
			w.skip(n, name, "")
		}
	}
}

// assembled returns the image that a mapping describes in parts, as values of charts do and
// the entries of kustomizations; "" if it does not.
func assembled(n *yaml.Node) string {
	name := textOf(n, "repository")
	if registry := textOf(n, "registry"); name != "" && registry != "" {
		name = registry + "/" + name
	}
	tag := textOf(n, "tag")
	if name == "" {
		if tag = textOf(n, "newTag"); tag != "" || textOf(n, "newName") != "" {
			name = cmp.Or(textOf(n, "newName"), textOf(n, "name"))
		}
	}
	if name != "" && tag != "" {
		name += ":" + tag
	}
	if d := textOf(n, "digest"); name != "" && strings.Contains(d, ":") {
		name += "@" + d
	}
	return name
}
