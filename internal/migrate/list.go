package migrate

import (
	"bytes"
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/migrate/draft"
	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// list reads a list of images: a text with one a line, or a list in YAML. A line SOURCE=TARGET,
// as in the mapping.txt of oc-mirror and in the files of oc image mirror, is a mapping too.
func (r *reader) list(data []byte, roots []strictyaml.Document) {
	if len(roots) == 0 {
		n := 0
		for line := range bytes.Lines(data) {
			n++
			if text := entryOf(string(line)); text != "" {
				r.listed(text, n)
			}
		}
	}
	for _, doc := range roots {
		for _, t := range r.List(doc) {
			r.listed(t.Value, t.Line)
		}
	}
}

func (r *reader) listed(line string, n int) {
	name, to, mapped := strings.Cut(line, "=")
	ref, ok := r.image(name, n, "")
	if !ok {
		r.add(draft.Source{Line: n, Unsaid: leftOut(name)})
		return
	}
	if noTag(name) {
		r.Note(n, "", "without a tag: latest, as docker pulls it")
	}
	r.add(draft.Source{Line: n, Reference: ref})
	if mapped {
		r.route(ref, strings.TrimPrefix(to, "docker://"), n, "")
	}
}
