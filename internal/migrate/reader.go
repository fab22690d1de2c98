package migrate

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/migrate/document"
	"github.com/oras-mirror/oras-mirror/internal/migrate/draft"
)

// reader reads one file into a draft of a mirror spec.
type reader struct {
	*document.Reader
	spec draft.Spec
}

// add adds a source, unless it is there already. One that a mirror spec cannot have becomes a
// comment.
func (r *reader) add(s draft.Source) {
	if why := s.Fault(); s.Unsaid == "" && why != "" {
		r.Note(s.Line, "", "%s", why)
		s.Unsaid = why
	}
	r.spec.Add(s)
}

// addChart adds a chart, or a comment if it is a local one.
func (r *reader) addChart(c draft.Chart, o *document.Object) {
	s := draft.ChartSource(c)
	s.Line = o.Line
	switch why := unresolved(c.Name + c.Repo + c.Version); {
	case why != "":
		r.Note(o.Line, o.Path, "%s", why)
		s.Unsaid = why
	case !strings.Contains(c.Repo, "://"):
		why := "a chart in a local file or folder is not an artifact of a registry"
		r.Note(o.Line, o.Path, "%s; push it with helm push", why)
		s = draft.Source{Line: o.Line, Unsaid: fmt.Sprintf("%s: %s", c.Name, why)}
	}
	r.add(s)
}

// image parses the name of an image. If it cannot be one, it is noted, and ok is false.
func (r *reader) image(name string, line int, key string) (ref config.Reference, ok bool) {
	if why := unresolved(name); why != "" {
		r.Note(line, key, "%s", why)
		return ref, false
	}
	ref, err := config.ParseImage(strings.TrimPrefix(name, "docker://"))
	if err != nil {
		r.Note(line, key, "%v; left out", err)
		return ref, false
	}
	return ref, true
}

// repository parses the name of a repository like image, without a tag.
func (r *reader) repository(name string, line int, key string) (ref config.Reference, ok bool) {
	ref, ok = r.image(name, line, key)
	if ok && strings.Contains(name[strings.LastIndex(name, "/")+1:], ":") {
		r.Note(line, key, "%q names one artifact, not a repository; left out", name)
		return ref, false
	}
	return config.Reference{Registry: ref.Registry, Repository: ref.Repository}, ok
}

// route adds the route of an artifact or a repository to a target.
func (r *reader) route(from config.Reference, to string, line int, key string) {
	ref, ok := r.image(to, line, key)
	if !ok {
		return
	}
	t := draft.Route{Line: line, Key: key, From: from.Registry + "/" + from.Repository, Registry: ref.Registry, Path: ref.Repository}
	switch {
	case from.Tag == "" && from.Digest != "" && !noTag(to) && ref.Tag != "":
		r.Note(line, key, "gives a tag to an artifact that is named by its digest, which a mirror spec cannot do: it has no tag in the target")
	case from.Tag != "":
		t.Tag, t.As = from.Tag, from.Tag
		if !noTag(to) && ref.Tag != "" {
			t.As = ref.Tag
		}
	}
	r.spec.Routes = append(r.spec.Routes, t)
}

// rename adds the path and the tag that an artifact has in a target that the file does not name. The
// tag may be "".
func (r *reader) rename(ref config.Reference, path, tag string, line int, key string) {
	err := config.CheckRepository(path)
	if err == nil && tag != "" {
		err = config.CheckTag(tag)
	}
	if err != nil {
		r.Note(line, key, "%v; left out", err)
		return
	}
	t := draft.Route{Line: line, Key: key, From: ref.Name(), Path: path}
	if tag != "" && ref.Tag != "" {
		t.Tag, t.As = ref.Tag, tag
	}
	r.spec.Routes = append(r.spec.Routes, t)
}

// addRegistry adds the settings of a registry, unless it has some already.
func (r *reader) addRegistry(g draft.Registry, line int, key string) {
	target, err := config.ParseTarget(g.Name)
	switch {
	case g.IsDefault():
		return
	case err != nil || target.Namespace != "":
		r.Note(line, key, "%q is not the name of a registry; its settings are left out", g.Name)
		return
	}
	g.Name = target.Registry
	for _, other := range r.spec.Registries {
		if other.Name == g.Name {
			r.Note(line, key, "%s has settings already; these are left out", g.Name)
			return
		}
	}
	r.spec.Registries = append(r.spec.Registries, g)
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

// leftOut is the comment for a name that cannot be read.
func leftOut(name string) string { return "left out: " + document.Comment(name) }

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
