package migrate

import (
	"bytes"
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// entryOf returns the text of a line of a list, without a comment.
func entryOf(line string) string {
	line = strings.TrimPrefix(line, "\ufeff")
	if i := strings.IndexByte(line, '#'); i == 0 || i > 0 && (line[i-1] == ' ' || line[i-1] == '\t') {
		line = line[:i]
	}
	return strings.TrimSpace(line)
}

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
		r.before = doc.Before
		for _, t := range r.scalars(strictyaml.Target(doc.Root), "", doc.Root.Line) {
			r.listed(t.value, t.line)
		}
	}
}

func (r *reader) listed(line string, n int) {
	name, to, mapped := strings.Cut(line, "=")
	ref, ok := r.image(name, n, "")
	if !ok {
		r.add(source{line: n, unsaid: leftOut(name)})
		return
	}
	if noTag(name) {
		r.note(n, "", "without a tag: latest, as docker pulls it")
	}
	r.add(source{line: n, reference: ref})
	if mapped {
		r.route(ref, strings.TrimPrefix(to, "docker://"), n, "")
	}
}
