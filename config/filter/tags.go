// Package filter selects tags of a repository and repositories of a registry by their names, as
// the keys tags and repositories of a source say it.
//
// [Tags.NeedsList] says whether a selection needs the tags that the registry lists, and
// [Tags.Select] applies it to them. The package asks no registry: MinAge is applied by the caller,
// with a lock.
package filter

import (
	"fmt"
	"regexp"

	"github.com/Masterminds/semver/v3"

	"github.com/oras-mirror/oras-mirror/config/internal/grammar"
	"github.com/oras-mirror/oras-mirror/internal/cosign"
	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// Tags selects tags of a repository:
//
//	names ∪ (include ∩ regex ∩ semver) − exclude → sort → latest
//
// The bracket is empty if only Names is set, and all tags if none of Names, Include, Regex and
// Semver is set.
type Tags struct {
	Names   []string `yaml:"names"`   // exact tags, whether or not the registry lists them
	Include []string `yaml:"include"` // globs, one of them must match
	Exclude []string `yaml:"exclude"` // globs, none may match
	Regex   string   `yaml:"regex"`   // RE2 that matches the whole tag
	Semver  string   `yaml:"semver"`  // version constraint; a tag that is not a version does not match
	Latest  int      `yaml:"latest"`  // number of the newest tags to keep; 0 means all
	MinAge  Age      `yaml:"minAge"`  // how long a tag has to be known, by the lock; 0 means no time
	Sort    *Sort    `yaml:"sort"`    // the order in which Latest finds the newest; nil means the default
}

// Key returns the key that a tag, or a glob of tags, was meant for.
func (t *Tags) Key(tag string) string {
	if grammar.TagFault(tag) != "" {
		return "include"
	}
	return "names"
}

// Check reports the faults of the filter while it is decoded.
func (t *Tags) Check(o strictyaml.Object) {
	for i, name := range t.Names {
		if name != "" && grammar.TagFault(name) != "" {
			o.Fault(strictyaml.Element("names", i), grammar.TagFault(name))
		}
	}
	checkGlobs(o, "include", t.Include)
	checkGlobs(o, "exclude", t.Exclude)
	for _, key := range []string{"names", "include", "exclude"} {
		o.NotEmpty(key)
	}
	if _, err := grammar.CompileAnchored(t.Regex); err != nil {
		o.Error("regex", err)
	}
	if t.Semver != "" {
		if _, err := semver.NewConstraint(t.Semver); err != nil {
			o.Fault("semver", fmt.Sprintf("invalid version constraint %q", t.Semver))
		}
	}
	if o.Valid("latest") && t.Latest < 1 {
		o.Fault("latest", fmt.Sprintf("must be at least 1, got %d", t.Latest))
	}
	if t.Sort != nil {
		t.checkSort(o)
	}
}

// checkSort reports what does not go together with sort.
func (t *Tags) checkSort(o strictyaml.Object) {
	if !o.Has("latest") {
		o.Fault("sort", "sort requires latest")
	}
	if o.Has("semver") {
		o.Fault("sort", "sort and semver cannot be used together: tags that are versions are sorted by version")
	}
	sorter, err := t.Sort.sorter()
	if !o.Valid("sort") || err != nil {
		return
	}
	for i, name := range t.Names {
		if _, ok := sorter.key(name); !ok && name != "" && !anyGlob(t.Exclude, name) {
			o.Fault(strictyaml.Element("names", i), fmt.Sprintf("%q does not match the pattern of sort, so latest would never select it", name))
		}
	}
}

// referrersTag matches the tags of the referrers tag schema, which cuts digests at 64
// characters (distribution-spec, "Referrers Tag Schema").
var referrersTag = regexp.MustCompile(`^sha(?:256|512)-[0-9a-f]{64}$`)

// IsReferrersTag reports whether a tag is made of the digest of another artifact: a tag
// of the referrers tag schema or of cosign.
func IsReferrersTag(tag string) bool {
	_, attached := cosign.Subject(tag)
	return attached || referrersTag.MatchString(tag)
}
