package migrate

import (
	"cmp"
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/oras-mirror/oras-mirror/config/filter"
)

// fluxMirrorKeys are the keys of a Config of flux-mirror, v1alpha1 to v1beta2.
var fluxMirrorKeys = []Key{
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
func (r *reader) fluxMirror(o *object) {
	o.text("apiVersion")
	o.text("kind")
	o.take("metadata")
	skip, overwrite := false, false
	count := func(of *object) {
		if of.is("overwrite") {
			overwrite = true
		} else {
			skip = true
		}
	}
	for _, a := range o.objects("artifacts") {
		count(a)
		r.fluxArtifact(a)
	}
	for _, c := range o.objects("charts") {
		count(c)
		r.fluxChart(c)
	}
	r.result.keep = skip && !overwrite
	if skip && overwrite {
		o.note("artifacts", "some overwrite existing tags and some do not: existingTags is a setting of a target, and overwrite is its default")
	}
	for _, h := range o.objects("hosts") {
		host := h.text("host")
		for _, key := range []string{"username", "credential", "provider"} {
			h.take(key)
		}
		r.note(h.line, h.path, `a spec has no credentials: log in with "oras login %s"`, host)
		h.end()
	}
	o.end()
}

func (r *reader) fluxArtifact(o *object) {
	from, to := o.text("source"), o.text("destination")
	s := source{line: o.line, referrers: referrers{none: !o.is("includeReferrers")}}
	tags, err := r.fluxTags(o.child("selector"))
	o.end()
	ref, ok := r.repository(from, o.lineOf("source"), o.pathOf("source"))
	if !ok {
		r.add(source{line: o.line, unsaid: leftOut(from)})
		return
	}
	s.reference, s.tags = ref, tags
	if err != nil {
		o.note("selector", "%v", err)
		s.unsaid = err.Error()
	}
	r.add(s)
	r.route(ref, to, o.lineOf("destination"), o.pathOf("destination"))
}

// fluxTags reads a selector: an expression, then versions, then the newest of what is left.
func (r *reader) fluxTags(o *object) (filter.Tags, error) {
	t := filter.Tags{Semver: o.text("semver"), Latest: limitOf(o)}
	by := o.text("sortBy")
	regex := o.child("regex")
	pattern, extract := regex.text("pattern"), groupName(regex.text("extract"))
	hasKey := regex.has("extract")
	regex.end()
	o.end()
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
func limitOf(o *object) int {
	if !o.has("limit") {
		return 1
	}
	n, err := strconv.Atoi(o.text("limit"))
	if err != nil || n < 0 {
		o.note("limit", "invalid limit; 1 is assumed")
		return 1
	}
	return n
}

func checkConstraint(s string) error {
	if s == "" {
		return nil
	}
	_, err := semver.NewConstraint(s)
	return err
}

func (r *reader) fluxChart(o *object) {
	c := chart{name: o.text("name"), version: o.text("version")}
	repo, secret := withoutSecrets(o.text("source"))
	if secret {
		o.note("source", whyLogin)
	}
	c.repo = strings.TrimSuffix(repo, "/")
	limit := limitOf(o)
	to := strings.TrimSuffix(strings.TrimPrefix(o.text("destination"), "oci://"), "/")
	o.end()
	from, isOCI := strings.CutPrefix(c.repo, "oci://")
	if !isOCI {
		_, from, _ = strings.Cut(c.repo, "://")
	}
	ref, ok := r.repository(from+"/"+c.name, o.lineOf("source"), o.pathOf("source"))
	if !ok {
		r.add(source{line: o.line, unsaid: leftOut(c.name)})
		return
	}
	s := source{line: o.line, chart: c}
	if isOCI {
		c.version = cmp.Or(c.version, "*")
		s = source{line: o.line, reference: ref, tags: filter.Tags{Semver: c.version, Latest: limit}}
	} else if limit != 1 {
		s.unsaid = "several versions of a chart of a Helm repository: a source has the newest that matches"
		o.note("limit", "%s", s.unsaid)
	}
	s.referrers.none = true
	r.add(s)
	if to != "" {
		r.route(ref, to+"/"+c.name, o.lineOf("destination"), o.pathOf("destination"))
	}
}
