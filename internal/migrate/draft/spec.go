// Package draft holds what the file of another tool says in the terms of a mirror spec, and writes
// it as one: the settings that all sources share become defaults, and the routes become targets and
// mappings. What a spec cannot have stands in comments.
package draft

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/migrate/document"
)

// Spec is a mirror spec that is put together from the file of another tool.
type Spec struct {
	Sources    []Source // see Add
	Registries []Registry
	Routes     Routes
	KeepTags   bool // existing tags stay as they are in the targets

	added map[string]bool // the sources, by their text
}

// Add adds a source. One that is there already is not added twice.
func (s *Spec) Add(one Source) {
	id := one.text(defaults{}) + "\n" + one.Unsaid
	if s.added[id] {
		return
	}
	if s.added == nil {
		s.added = make(map[string]bool)
	}
	s.added[id] = true
	s.Sources = append(s.Sources, one)
}

// said returns the sources that are not just comments.
func (s *Spec) said() []Source {
	var all []Source
	for _, one := range s.Sources {
		if one.Unsaid == "" {
			all = append(all, one)
		}
	}
	return all
}

// Count returns how many sources the spec has, without those that are comments.
func (s *Spec) Count() int { return len(s.said()) }

// Check notes what a spec cannot say of all sources and routes together.
func (s *Spec) Check() []document.Note {
	notes := s.Routes.check()
	d := s.defaults()
	for _, one := range s.said() {
		if one.Reference.Digest != "" && len(one.choices(d)) > 0 {
			notes = append(notes, document.Note{Line: one.Line, Text: "an artifact that is named by its digest has no platforms and referrers of its own: it has all of both, unless defaults says otherwise"})
		}
	}
	return notes
}

// Text returns the spec as text. It starts with comments: a line about where it is from, and the
// notes.
func (s *Spec) Text(from string, notes []document.Note) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", from)
	if len(notes) > 0 {
		fmt.Fprintf(&b, "# What this spec does not say, or says in another way, by the line there:\n")
		for _, n := range notes {
			fmt.Fprintf(&b, "#   %d: %s\n", n.Line, document.Comment(n.String()))
		}
	}
	fmt.Fprintf(&b, "apiVersion: %s\nkind: %s\n", config.APIVersion, config.Kind)
	s.writeRegistries(&b)
	d := s.defaults()
	b.WriteString(d.text())
	s.writeSources(&b, d)
	b.WriteString("\noutput: bundle.tgz\n")
	if all := s.Routes.mappings(); len(all) > 0 {
		b.WriteString("\nmappings:\n")
		writeList(&b, "", all)
	}
	s.writeTargets(&b)
	return b.String()
}

func writeList(b *strings.Builder, prefix string, all []string) {
	for _, text := range all {
		fmt.Fprintf(b, "%s  - %s\n", prefix, text)
	}
}

func (s *Spec) writeRegistries(b *strings.Builder) {
	var all []string
	for _, g := range s.Registries {
		if !g.IsDefault() {
			all = append(all, g.text())
		}
	}
	if len(all) > 0 {
		b.WriteString("\nregistries:\n")
		writeList(b, "", all)
	}
}

func (s *Spec) writeSources(b *strings.Builder, d defaults) {
	if s.Count() == 0 {
		b.WriteString("\nsources: []\n")
	} else {
		b.WriteString("\nsources:\n")
	}
	for _, one := range s.Sources {
		if one.Unsaid == "" {
			writeList(b, "", []string{one.text(d)})
			continue
		}
		fmt.Fprintf(b, "  # %s\n", document.Comment(one.Unsaid))
		if text := one.text(d); text != "" {
			fmt.Fprintf(b, "  # - %s\n", text)
		}
	}
}

func (s *Spec) writeTargets(b *strings.Builder) {
	names, same := s.Routes.targets()
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
		if s.KeepTags {
			names[i] = fields{{"target", quote(n)}, {"existingTags", config.ExistingSkip}}.String()
		}
	}
	writeList(b, prefix, names)
}

func (s *Spec) defaults() defaults {
	all := s.said()
	if len(all) == 0 {
		return defaults{}
	}
	d := defaults{noReferrers: true, platforms: all[0].Platforms}
	for _, one := range all {
		d.noReferrers = d.noReferrers && one.Referrers.None
		if !slices.Equal(d.platforms, one.Platforms) {
			d.platforms = nil
		}
	}
	return d
}
