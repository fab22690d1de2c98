package migrate

import (
	"cmp"
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/oras-mirror/oras-mirror/config/filter"
	"github.com/oras-mirror/oras-mirror/internal/migrate/document"
	"github.com/oras-mirror/oras-mirror/internal/migrate/draft"
)

// fluxMirrorKeys are the keys of a Config of flux-mirror, v1alpha1 to v1beta2.
var fluxMirrorKeys = []document.Key{
	{Name: "apiVersion"},
	{Name: "kind"},
	{Name: "metadata"},
	{Name: "artifacts", Ours: "sources"},
	{Name: "artifacts[].source", Ours: "`repository`"},
	{Name: "artifacts[].destination", Ours: "a target and a mapping"},
	{Name: "artifacts[].selector", Ours: "`tags`; without it, the newest version"},
	{Name: "artifacts[].selector.regex", Ours: "`regex`"},
	{Name: "artifacts[].selector.regex.pattern", Ours: "`regex`, which matches the whole tag; with `extract`, `sort: {pattern}`"},
	{Name: "artifacts[].selector.regex.extract", Ours: "the group of `sort: {pattern}`; a comment with `sortBy: semver`"},
	{Name: "artifacts[].selector.semver", Ours: "`semver`"},
	{Name: "artifacts[].selector.sortBy", Ours: "`sort: {by}`; versions are sorted anyway"},
	{Name: "artifacts[].selector.limit", Ours: "`latest`; 1 if it is missing"},
	{Name: "artifacts[].includeReferrers", Ours: "`referrers`"},
	{Name: "artifacts[].overwrite", Ours: "`existingTags: skip` of the targets, unless it is true"},
	{Name: "artifacts[].verify", Why: whyVerify},
	{Name: "charts", Ours: "sources"},
	{Name: "charts[].name", Ours: "`chart`"},
	{Name: "charts[].source", Ours: "`repo`; for `oci://`, `repository`"},
	{Name: "charts[].destination", Ours: "a target and a mapping"},
	{Name: "charts[].version", Ours: "`version`; for `oci://`, `tags: {semver}`"},
	{Name: "charts[].limit", Ours: "for `oci://`, `latest`; a chart of a Helm repository has one version, and the source is a comment if more are meant"},
	{Name: "charts[].overwrite", Ours: "`existingTags: skip` of the targets, unless it is true"},
	{Name: "hosts", Ours: "a note for each"},
	{Name: "hosts[].host", Ours: "nothing: log in with `oras login`"},
	{Name: "hosts[].username", Ours: "nothing: log in with `oras login`"},
	{Name: "hosts[].credential", Ours: "nothing: log in with `oras login`"},
	{Name: "hosts[].provider", Ours: "nothing: log in with `oras login`, or by a credential helper"},
	{Name: "hosts[].tls", Why: "set caFile, certFile and keyFile of the registry"},
	{Name: "hosts[].maxChunkSize", Why: whyAlways},
}

// anyVersion is the constraint that every version meets, prereleases too.
const anyVersion = ">=0.0.0-0"

var errExtractedVersion = errors.New("versions that are part of a tag cannot be compared: list the tags, or sort by number")

// fluxMirror reads a Config of flux-mirror.
func (r *reader) fluxMirror(o *document.Object) {
	o.Text("apiVersion")
	o.Text("kind")
	o.Take("metadata")
	skip, overwrite := false, false
	count := func(of *document.Object) {
		if of.Is("overwrite") {
			overwrite = true
		} else {
			skip = true
		}
	}
	for _, a := range o.Objects("artifacts") {
		count(a)
		r.fluxArtifact(a)
	}
	for _, c := range o.Objects("charts") {
		count(c)
		r.fluxChart(c)
	}
	r.spec.KeepTags = skip && !overwrite
	if skip && overwrite {
		o.Note("artifacts", "some overwrite existing tags and some do not: existingTags is a setting of a target, and overwrite is its default")
	}
	for _, h := range o.Objects("hosts") {
		host := h.Text("host")
		for _, key := range []string{"username", "credential", "provider"} {
			h.Take(key)
		}
		r.Note(h.Line, h.Path, `a spec has no credentials: log in with "oras login %s"`, host)
		h.End()
	}
	o.End()
}

func (r *reader) fluxArtifact(o *document.Object) {
	from, to := o.Text("source"), o.Text("destination")
	s := draft.Source{Line: o.Line, Referrers: draft.Referrers{None: !o.Is("includeReferrers")}}
	tags, err := r.fluxTags(o.Child("selector"))
	o.End()
	ref, ok := r.repository(from, o.LineOf("source"), o.PathOf("source"))
	if !ok {
		r.add(draft.Source{Line: o.Line, Unsaid: leftOut(from)})
		return
	}
	s.Reference, s.Tags = ref, tags
	if err != nil {
		o.Note("selector", "%v", err)
		s.Unsaid = err.Error()
	}
	r.add(s)
	r.route(ref, to, o.LineOf("destination"), o.PathOf("destination"))
}

// fluxTags reads a selector: an expression, then versions, then the newest of what is left.
func (r *reader) fluxTags(o *document.Object) (filter.Tags, error) {
	t := filter.Tags{Semver: o.Text("semver"), Latest: limitOf(o)}
	by := o.Text("sortBy")
	regex := o.Child("regex")
	pattern, extract := regex.Text("pattern"), groupName(regex.Text("extract"))
	hasKey := regex.Has("extract")
	regex.End()
	o.End()
	var err error
	if pattern != "" {
		if t.Regex, err = wholeTag(pattern); err != nil {
			return t, err
		}
	}
	if err := checkConstraint(t.Semver); err != nil {
		return t, err
	}
	if by == "" || by == "semver" {
		if hasKey {
			return t, errExtractedVersion
		}
		if t.Semver == "" {
			t.Semver = anyVersion
		}
		return t, nil
	}
	if t.Semver != "" {
		return t, errors.New("versions that are not sorted as versions: list the tags")
	}
	return fluxSort(t, by, pattern, extract, hasKey)
}

// fluxSort sets the order of tags that are no versions.
func fluxSort(t filter.Tags, by, pattern, extract string, hasKey bool) (filter.Tags, error) {
	t.Sort = &filter.Sort{Pattern: "(.+)", By: filter.OrderText}
	if by == "numerical" {
		t.Sort = &filter.Sort{Pattern: `([0-9]+(?:\.[0-9]+)?)`, By: filter.OrderNumber}
	}
	if hasKey {
		key, ok := keyPattern(pattern, extract)
		if !ok {
			return t, errors.New("only one named group can be the key of an order")
		}
		t.Sort.Pattern = key
	}
	if t.Latest > 0 {
		if hasKey {
			t.Regex = ""
		}
		return t, nil
	}
	if by == "numerical" && !hasKey && t.Regex == "" {
		t.Regex = `[0-9]+(?:\.[0-9]+)?`
	}
	return t, nil
}

var extracted = regexp.MustCompile(`^\$(?:\{(\w+)\}|(\w+))$`)

// groupName returns the name of the group that a replacement consists of, or "".
func groupName(replacement string) string {
	if m := extracted.FindStringSubmatch(replacement); m != nil {
		return m[1] + m[2]
	}
	return ""
}

// limitOf returns a limit, which is 1 unless it is set, as our number of the newest: 0 means
// all in both.
func limitOf(o *document.Object) int {
	if !o.Has("limit") {
		return 1
	}
	n, err := strconv.Atoi(o.Text("limit"))
	if err != nil || n < 0 {
		o.Note("limit", "invalid limit; 1 is assumed")
		return 1
	}
	return n
}

func (r *reader) fluxChart(o *document.Object) {
	c := draft.Chart{Name: o.Text("name"), Version: o.Text("version")}
	repo, secret := withoutSecrets(o.Text("source"))
	if secret {
		o.Note("source", whyLogin)
	}
	c.Repo = strings.TrimSuffix(repo, "/")
	limit := limitOf(o)
	to := strings.TrimSuffix(strings.TrimPrefix(o.Text("destination"), "oci://"), "/")
	o.End()
	from, isOCI := strings.CutPrefix(c.Repo, "oci://")
	if !isOCI {
		_, from, _ = strings.Cut(c.Repo, "://")
	}
	ref, ok := r.repository(from+"/"+c.Name, o.LineOf("source"), o.PathOf("source"))
	if !ok {
		r.add(draft.Source{Line: o.Line, Unsaid: leftOut(c.Name)})
		return
	}
	s := draft.Source{Line: o.Line, Chart: c}
	if isOCI {
		c.Version = cmp.Or(c.Version, "*")
		s = draft.Source{Line: o.Line, Reference: ref, Tags: filter.Tags{Semver: c.Version, Latest: limit}}
	} else if limit != 1 {
		s.Unsaid = "several versions of a chart of a Helm repository: a source has the newest that matches"
		o.Note("limit", "%s", s.Unsaid)
	}
	s.Referrers.None = true
	r.add(s)
	if to != "" {
		r.route(ref, to+"/"+c.Name, o.LineOf("destination"), o.PathOf("destination"))
	}
}
