package migrate

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// end reports every key that was not read: with the reason why a mirror spec has no
// counterpart, or as unknown.
func (o *object) end() {
	for _, name := range o.names {
		if o.taken[name] || strings.HasPrefix(name, "x-") {
			continue
		}
		key, known := o.r.keys[o.kindOf(name)]
		o.r.met[o.kindOf(name)] = true
		switch {
		case !known:
			o.note(name, "unknown key; left out")
		case key.Why != "" && !isOff(o.entries[name]):
			o.note(name, "%s", key.Why)
		}
	}
}

// isOff reports whether a value is false or empty, so that the key asks for nothing.
func isOff(n *yaml.Node) bool {
	if n.Kind != yaml.ScalarNode {
		return len(n.Content) == 0
	}
	return n.Value == "" || n.ShortTag() == "!!null" || n.Value == "false"
}

// finish joins notes with the same text and sorts them by line.
func (r *reader) finish() {
	r.result.checkTargets()
	r.checkDigests()
	var joined []Note
	at := make(map[string]int)
	slices.SortStableFunc(r.result.Notes, func(a, b Note) int { return a.Line - b.Line })
	for _, n := range r.result.Notes {
		if i, ok := at[n.Text]; ok {
			joined[i].More++
			continue
		}
		at[n.Text] = len(joined)
		joined = append(joined, n)
	}
	r.result.Notes = joined
}

// checkDigests notes artifacts that are named by a digest and cannot have settings of their own.
func (r *reader) checkDigests() {
	d := r.result.defaults()
	for _, s := range r.result.sources {
		if s.unsaid == "" && s.reference.Digest != "" && len(s.choices(d)) > 0 {
			r.note(s.line, "", "an artifact that is named by its digest has no platforms and referrers of its own: it has all of both, unless defaults says otherwise")
		}
	}
}
