package draft

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/filter"
)

// Source is a source of the mirror spec.
type Source struct {
	Line      int
	Reference config.Reference // a repository, or one artifact
	Registry  string           // instead: a whole registry
	Include   []string         // globs of repositories of the registry
	Exclude   []string
	Layout    string // instead: a local layout
	Chart     Chart  // instead: a chart of a Helm repository

	Tags      filter.Tags
	Platforms []string // nil means all
	Referrers Referrers
	Unsaid    string // why the source is only a comment; "" if it is one
}

// Referrers are the referrers that a tool copies.
type Referrers struct {
	None  bool
	Types []string // nil means all
}

// Fault returns why a mirror spec cannot have the source, or "". A reference alone was parsed
// before.
func (s Source) Fault() string {
	value := s.text(defaults{})
	if value == "" {
		return "it has no name"
	}
	if !strings.HasPrefix(value, "{") {
		return ""
	}
	_, err := config.Parse("", []byte("apiVersion: "+config.APIVersion+"\nkind: "+config.Kind+"\nsources:\n  - "+value+"\n"))
	if err != nil && s.Chart.Name != "" {
		return "a mirror spec cannot have this chart"
	}
	if invalid, ok := errors.AsType[*config.LoadError](err); ok && len(invalid.Faults) > 0 {
		return fmt.Sprintf("a mirror spec cannot have this source: %v", invalid.Faults[0].Message)
	}
	return ""
}

// text returns the source as a YAML value, or "" if it has none.
func (s Source) text(d defaults) string {
	choices := s.choices(d)
	switch {
	case s.Chart.Name != "":
		return append(s.Chart.fields(), choices...).String()
	case s.Layout != "":
		return append(fields{{"layout", quote(s.Layout)}}, choices...).String()
	case s.Registry != "":
		return append(append(fields{{"registry", quote(s.Registry)}}, s.repositories()...), choices...).String()
	case s.Reference.Repository == "":
		return ""
	case s.isOne() && (len(choices) == 0 || s.Reference.Digest != ""):
		return quote(s.Reference.String())
	case s.isOne():
		f := fields{{"repository", quote(s.Reference.Name())}, {"tags", "{names: " + quoteAll([]string{s.Reference.Tag}) + "}"}}
		return append(f, choices...).String()
	case len(choices) == 0:
		return quote(s.Reference.String())
	}
	return append(fields{{"repository", quote(s.Reference.Name())}}, choices...).String()
}

// isOne reports whether the source is one artifact.
func (s Source) isOne() bool { return s.Reference.Tag != "" || s.Reference.Digest != "" }

func (s Source) repositories() fields {
	var f fields
	if len(s.Include) > 0 {
		f.put("include", quoteAll(s.Include))
	}
	if len(s.Exclude) > 0 {
		f.put("exclude", quoteAll(s.Exclude))
	}
	if len(f) == 0 {
		return nil
	}
	return fields{{"repositories", f.String()}}
}

// choices are the tags, platforms and referrers that differ from the defaults.
func (s Source) choices(d defaults) fields {
	var f fields
	if t := tagFields(s.Tags); len(t) > 0 {
		f.put("tags", t.String())
	}
	if len(s.Platforms) > 0 && !slices.Equal(s.Platforms, d.platforms) {
		f.put("platforms", quoteAll(s.Platforms))
	}
	switch {
	case s.Referrers.None && !d.noReferrers:
		f.put("referrers", "false")
	case len(s.Referrers.Types) > 0:
		f.put("referrers", "{artifactTypes: "+quoteAll(s.Referrers.Types)+"}")
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

// ChartSource returns the source of a chart. One in a registry that needs no images is an
// artifact like any other.
func ChartSource(c Chart) Source {
	c.Repo = strings.TrimSuffix(c.Repo, "/")
	if !strings.HasPrefix(c.Repo, "oci://") || c.Images {
		return Source{Chart: c}
	}
	ref, err := config.ParseReference(strings.TrimPrefix(c.Repo, "oci://") + "/" + c.Name)
	switch {
	case err != nil:
		return Source{Chart: c}
	case c.Version == "":
		return Source{Reference: ref, Tags: filter.Tags{Semver: "*", Latest: 1}}
	case isVersion(c.Version):
		ref.Tag = strings.ReplaceAll(c.Version, "+", "_")
		return Source{Reference: ref}
	}
	return Source{Reference: ref, Tags: filter.Tags{Semver: c.Version, Latest: 1}}
}

// isVersion reports whether a constraint is a whole version.
func isVersion(s string) bool {
	first := strings.TrimPrefix(s, "v")
	core, _, _ := strings.Cut(strings.ReplaceAll(first, "+", "-"), "-")
	parts := strings.Split(core, ".")
	for _, p := range parts {
		if p == "" || strings.Trim(p, "0123456789") != "" {
			return false
		}
	}
	return len(parts) == 3 && !strings.ContainsAny(s, " ,|")
}
