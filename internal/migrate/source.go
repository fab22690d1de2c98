package migrate

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/filter"
)

// source is a source of the mirror spec.
type source struct {
	line      int
	reference config.Reference // a repository, or one artifact
	registry  string           // instead: a whole registry
	include   []string         // globs of repositories of the registry
	exclude   []string
	layout    string // instead: a local layout
	chart     chart  // instead: a chart of a Helm repository

	tags      filter.Tags
	platforms []string // nil means all
	referrers referrers
	unsaid    string // why the source is only a comment; "" if it is one
}

// referrers are the referrers that a tool copies.
type referrers struct {
	none  bool
	types []string // nil means all
}

// chart is a Helm chart.
type chart struct {
	name, repo, version string
	images              bool
	values              []string
}

// add adds a source. One that is there already is not added twice.
func (r *reader) add(s source) {
	if why := s.fault(); s.unsaid == "" && why != "" {
		r.note(s.line, "", "%s", why)
		s.unsaid = why
	}
	id := s.text(defaults{}) + "\n" + s.unsaid
	if r.added[id] {
		return
	}
	r.added[id] = true
	r.result.sources = append(r.result.sources, s)
}

// image parses the name of an image. If it cannot be one, it is noted, and ok is false.
func (r *reader) image(name string, line int, key string) (ref config.Reference, ok bool) {
	if why := unresolved(name); why != "" {
		r.note(line, key, "%s", why)
		return ref, false
	}
	ref, err := config.ParseImage(strings.TrimPrefix(name, "docker://"))
	if err != nil {
		r.note(line, key, "%v; left out", err)
		return ref, false
	}
	return ref, true
}

// repository parses the name of a repository like image, without a tag.
func (r *reader) repository(name string, line int, key string) (ref config.Reference, ok bool) {
	ref, ok = r.image(name, line, key)
	if ok && strings.Contains(name[strings.LastIndex(name, "/")+1:], ":") {
		r.note(line, key, "%q names one artifact, not a repository; left out", name)
		return ref, false
	}
	return config.Reference{Registry: ref.Registry, Repository: ref.Repository}, ok
}

// unresolved returns why a text is not the name of anything yet, or "".
func unresolved(name string) string {
	switch {
	case strings.Contains(name, "{{"):
		return "a template, which is not expanded: write the name by hand"
	case strings.Contains(name, "${"):
		return "a variable, which is not expanded: write the name by hand"
	}
	return ""
}

// userInfo matches the credentials in a URL.
var userInfo = regexp.MustCompile(`://[^/\s]*@`)

// comment returns a text for a comment: one line of printable characters, short, and without
// the credentials of a URL.
func comment(s string) string {
	s = userInfo.ReplaceAllString(strings.Join(strings.Fields(s), " "), "://")
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > 300 {
		return string(runes[:300]) + "..."
	}
	return s
}

// leftOut is the comment for a name that cannot be read.
func leftOut(name string) string { return "left out: " + comment(name) }

// fault returns why a mirror spec cannot have the source, or "". A reference alone was parsed
// before.
func (s source) fault() string {
	value := s.text(defaults{})
	if value == "" {
		return "it has no name"
	}
	if !strings.HasPrefix(value, "{") {
		return ""
	}
	_, err := config.Parse("", []byte("apiVersion: "+config.APIVersion+"\nkind: "+config.Kind+"\nsources:\n  - "+value+"\n"))
	if err != nil && s.chart.name != "" {
		return "a mirror spec cannot have this chart"
	}
	if invalid, ok := errors.AsType[*config.LoadError](err); ok && len(invalid.Faults) > 0 {
		return fmt.Sprintf("a mirror spec cannot have this source: %v", invalid.Faults[0].Message)
	}
	return ""
}

// withoutSecrets removes the user, the query and the fragment of a URL.
func withoutSecrets(s string) (clean string, removed bool) {
	if !strings.Contains(s, "://") {
		return s, false
	}
	u, err := url.Parse(s)
	if err != nil {
		return "", true
	}
	removed = u.User != nil || u.RawQuery != "" || u.Fragment != ""
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	if !removed {
		return s, false
	}
	return u.String(), true
}

// noTag reports whether the name of an image has neither a tag nor a digest.
func noTag(name string) bool {
	return !strings.Contains(name, "@") && !strings.Contains(name[strings.LastIndex(name, "/")+1:], ":")
}

// chartSource returns the source of a chart. One in a registry that needs no images is an
// artifact like any other.
func chartSource(c chart) source {
	c.repo = strings.TrimSuffix(c.repo, "/")
	if !strings.HasPrefix(c.repo, "oci://") || c.images {
		return source{chart: c}
	}
	ref, err := config.ParseReference(strings.TrimPrefix(c.repo, "oci://") + "/" + c.name)
	switch {
	case err != nil:
		return source{chart: c}
	case c.version == "":
		return source{reference: ref, tags: filter.Tags{Semver: "*", Latest: 1}}
	case isVersion(c.version):
		ref.Tag = strings.ReplaceAll(c.version, "+", "_")
		return source{reference: ref}
	}
	return source{reference: ref, tags: filter.Tags{Semver: c.version, Latest: 1}}
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

// registry are the settings of a registry.
type registry struct {
	name        string
	plainHTTP   bool
	insecure    bool
	concurrency int
	perSecond   float64
	mirrors     []string
}

// addRegistry adds the settings of a registry, unless it has some already.
func (r *reader) addRegistry(g registry, line int, key string) {
	target, err := config.ParseTarget(g.name)
	switch {
	case g.isDefault():
		return
	case err != nil || target.Namespace != "":
		r.note(line, key, "%q is not the name of a registry; its settings are left out", g.name)
		return
	}
	g.name = target.Registry
	for _, other := range r.result.registries {
		if other.name == g.name {
			r.note(line, key, "%s has settings already; these are left out", g.name)
			return
		}
	}
	r.result.registries = append(r.result.registries, g)
}

func (g registry) isDefault() bool {
	return !g.plainHTTP && !g.insecure && g.concurrency == 0 && g.perSecond == 0 && len(g.mirrors) == 0
}

// text returns the settings as a YAML value.
func (g registry) text() string {
	f := fields{{"registry", quote(g.name)}}
	if g.plainHTTP {
		f.put("plainHTTP", "true")
	}
	if g.insecure {
		f.put("insecure", "true")
	}
	if g.concurrency > 0 {
		f.put("concurrency", fmt.Sprint(g.concurrency))
	}
	if g.perSecond > 0 && !math.IsInf(g.perSecond, 0) {
		f.put("requestsPerSecond", fmt.Sprint(g.perSecond))
	}
	if len(g.mirrors) > 0 {
		f.put("mirrors", quoteAll(g.mirrors))
	}
	return f.String()
}
