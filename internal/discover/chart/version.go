package chart

import (
	"strings"

	"github.com/Masterminds/semver/v3"
)

// TagOf returns the tag of a version, as helm writes it: a tag has no plus sign.
func TagOf(version string) string { return strings.ReplaceAll(version, "+", "_") }

// VersionOf returns the version that a tag stands for.
func VersionOf(tag string) string { return strings.ReplaceAll(tag, "_", "+") }

// IsExact reports whether a constraint names one version, so that no list is needed.
func IsExact(constraint string) bool {
	_, err := semver.StrictNewVersion(strings.TrimPrefix(constraint, "v"))
	return err == nil
}

// Newest returns the version that helm would take: the one that is written exactly like the
// constraint, or else the newest that it allows; "" if there is none. The empty constraint
// allows all but pre-releases, which a constraint has to name.
func Newest(constraint string, all []string) string {
	for _, v := range all {
		if v == constraint {
			return v
		}
	}
	if constraint == "" {
		constraint = "*"
	}
	allowed, err := semver.NewConstraint(constraint)
	if err != nil {
		return ""
	}
	var newest *semver.Version
	found := ""
	for _, text := range all {
		v, err := semver.NewVersion(text)
		if err != nil || !allowed.Check(v) {
			continue
		}
		if c := compare(v, newest); c > 0 || c == 0 && text > found {
			newest, found = v, text
		}
	}
	return found
}

// compare orders versions; nil is the oldest.
func compare(a, b *semver.Version) int {
	if b == nil {
		return 1
	}
	return a.Compare(b)
}
