package migrate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/filter"
)

// Spec returns the mirror spec as text. The name of the file that was read stands in its
// comments.
func (r *Result) Spec(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# From %s (%s).\n", comment(name), r.Format)
	if len(r.Notes) > 0 {
		fmt.Fprintf(&b, "# What this spec does not say, or says in another way, by the line there:\n")
		for _, n := range r.Notes {
			fmt.Fprintf(&b, "#   %d: %s\n", n.Line, comment(n.String()))
		}
	}
	fmt.Fprintf(&b, "apiVersion: %s\nkind: %s\n", config.APIVersion, config.Kind)
	r.writeRegistries(&b)
	d := r.defaults()
	b.WriteString(d.text())
	r.writeSources(&b, d)
	b.WriteString("\noutput: bundle.tgz\n")
	if all := r.mappings(); len(all) > 0 {
		b.WriteString("\nmappings:\n")
		writeList(&b, "", all)
	}
	r.writeTargets(&b)
	return b.String()
}

func writeList(b *strings.Builder, prefix string, all []string) {
	for _, s := range all {
		fmt.Fprintf(b, "%s  - %s\n", prefix, s)
	}
}

func (r *Result) writeRegistries(b *strings.Builder) {
	var all []string
	for _, g := range r.registries {
		if !g.isDefault() {
			all = append(all, g.text())
		}
	}
	if len(all) > 0 {
		b.WriteString("\nregistries:\n")
		writeList(b, "", all)
	}
}

func (r *Result) writeSources(b *strings.Builder, d defaults) {
	if r.Sources() == 0 {
		b.WriteString("\nsources: []\n")
	} else {
		b.WriteString("\nsources:\n")
	}
	for _, s := range r.sources {
		if s.unsaid == "" {
			writeList(b, "", []string{s.text(d)})
			continue
		}
		fmt.Fprintf(b, "  # %s\n", comment(s.unsaid))
		if text := s.text(d); text != "" {
			fmt.Fprintf(b, "  # - %s\n", text)
		}
	}
}

func (r *Result) writeTargets(b *strings.Builder) {
	names, same := r.targets()
	if len(names) == 0 {
		return
	}
	prefix := ""
	if !same {
		b.WriteString("\n# Each of these gets other sources: make one spec for each.\n#targets:\n")
		prefix = "#"
	} else {
		b.WriteString("\ntargets:\n")
	}
	for i, n := range names {
		names[i] = quote(n)
		if r.keep {
			names[i] = fields{{"target", quote(n)}, {"existingTags", config.ExistingSkip}}.String()
		}
	}
	writeList(b, prefix, names)
}

// defaults are the settings that all sources have in common.
type defaults struct {
	noReferrers bool
	platforms   []string
}

func (r *Result) defaults() defaults {
	var all []source
	for _, s := range r.sources {
		if s.unsaid == "" {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return defaults{}
	}
	d := defaults{noReferrers: true, platforms: all[0].platforms}
	for _, s := range all {
		d.noReferrers = d.noReferrers && s.referrers.none
		if !slices.Equal(d.platforms, s.platforms) {
			d.platforms = nil
		}
	}
	return d
}

func (d defaults) text() string {
	var f fields
	if len(d.platforms) > 0 {
		f.put("platforms", quoteAll(d.platforms))
	}
	if d.noReferrers {
		f.put("referrers", "false")
	}
	if len(f) == 0 {
		return ""
	}
	return "\ndefaults: " + f.String() + "\n"
}

// text returns the source as a YAML value, or "" if it has none.
func (s source) text(d defaults) string {
	choices := s.choices(d)
	switch {
	case s.chart.name != "":
		return append(s.chart.fields(), choices...).String()
	case s.layout != "":
		return append(fields{{"layout", quote(s.layout)}}, choices...).String()
	case s.registry != "":
		return append(append(fields{{"registry", quote(s.registry)}}, s.repositories()...), choices...).String()
	case s.reference.Repository == "":
		return ""
	case s.isOne() && (len(choices) == 0 || s.reference.Digest != ""):
		return quote(s.reference.String())
	case s.isOne():
		f := fields{{"repository", quote(s.reference.Name())}, {"tags", "{names: " + quoteAll([]string{s.reference.Tag}) + "}"}}
		return append(f, choices...).String()
	case len(choices) == 0:
		return quote(s.reference.String())
	}
	return append(fields{{"repository", quote(s.reference.Name())}}, choices...).String()
}

// isOne reports whether the source is one artifact.
func (s source) isOne() bool { return s.reference.Tag != "" || s.reference.Digest != "" }

func (s source) repositories() fields {
	var f fields
	if len(s.include) > 0 {
		f.put("include", quoteAll(s.include))
	}
	if len(s.exclude) > 0 {
		f.put("exclude", quoteAll(s.exclude))
	}
	if len(f) == 0 {
		return nil
	}
	return fields{{"repositories", f.String()}}
}

// choices are the tags, platforms and referrers that differ from the defaults.
func (s source) choices(d defaults) fields {
	var f fields
	if t := tagFields(s.tags); len(t) > 0 {
		f.put("tags", t.String())
	}
	if len(s.platforms) > 0 && !slices.Equal(s.platforms, d.platforms) {
		f.put("platforms", quoteAll(s.platforms))
	}
	switch {
	case s.referrers.none && !d.noReferrers:
		f.put("referrers", "false")
	case len(s.referrers.types) > 0:
		f.put("referrers", "{artifactTypes: "+quoteAll(s.referrers.types)+"}")
	}
	return f
}

func tagFields(t filter.Tags) fields {
	var f fields
	for _, list := range []struct {
		key  string
		tags []string
	}{{"names", t.Names}, {"include", t.Include}, {"exclude", t.Exclude}} {
		if len(list.tags) > 0 {
			f.put(list.key, quoteAll(list.tags))
		}
	}
	if t.Regex != "" {
		f.put("regex", quote(t.Regex))
	}
	if t.Semver != "" {
		f.put("semver", quote(t.Semver))
	}
	if t.Sort != nil && t.Latest > 0 {
		f.put("sort", fields{{"pattern", quote(t.Sort.Pattern)}, {"by", t.Sort.By}}.String())
	}
	if t.Latest > 0 {
		f.put("latest", strconv.Itoa(t.Latest))
	}
	return f
}

func (c chart) fields() fields {
	f := fields{{"chart", quote(c.name)}}
	switch {
	case strings.HasPrefix(c.repo, "oci://"):
		f = fields{{"chart", quote(c.repo + "/" + c.name)}}
	case c.repo != "":
		f.put("repo", quote(c.repo))
	}
	if c.version != "" {
		f.put("version", quote(c.version))
	}
	if !c.images {
		f.put("images", "false")
	}
	if len(c.values) > 0 {
		f.put("values", quoteAll(c.values))
	}
	return f
}
