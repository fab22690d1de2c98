package migrate

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bmatcuk/doublestar/v4"
)

var someTags = []string{"v1", "v1.2", "v1.2.3", "1.2", "av1", "v1-rc1", "v10", "latest", "edge", "3", "3.0", "30", "3x0", "a*b", "axb", "v1.2.3-alpine", "RELEASE.1", "dev", "-", "V1", "v"}

// TestWholeTag checks that an expression for whole tags matches the tags that a search finds.
func TestWholeTag(t *testing.T) {
	for expr, want := range map[string]string{
		`^v1$`: `v1`, `^v(\d+)\.\d+$`: `v(\d+)\.\d+`, `v1`: `.*(?:v1).*`, `^v1|edge$`: `.*(?:^v1|edge$).*`,
		`^$`: `.*(?:^$).*`, `^3\.0$`: `3\.0`, `^v1\$`: `.*(?:^v1\$).*`, `(?i)^v1$`: `.*(?:(?i)^v1$).*`, `^a|b$`: "", `^(?:a|b)$`: `(?:a|b)`, ``: "", `.*`: "", `^[^-]+$`: "",
	} {
		got, err := wholeTag(expr)
		if err != nil || want != "" && got != want {
			t.Errorf("%s becomes %s, %v", expr, got, err)
			continue
		}
		search, whole := regexp.MustCompile(expr), regexp.MustCompile("^(?:"+got+")$")
		for _, tag := range someTags {
			if search.MatchString(tag) != whole.MatchString(tag) {
				t.Errorf("%s and %s differ for %s", expr, got, tag)
			}
		}
	}
	if _, err := wholeTag("("); err == nil {
		t.Error("no error for an invalid expression")
	}
}

// TestGlobs checks that globs match what the expression matches, and that there are none where
// a glob cannot.
func TestGlobs(t *testing.T) {
	for expr, want := range map[string]string{
		`^v1$`: "v1", `^3\.0$`: "3.0", `^.*-rc.*$`: "*-rc*", `^v.+$`: "v?*", `^(dev|test)$`: "dev test", `^(?:a|bc)$`: "a bc", `^v[0-9]$`: "v[0-9]", `^v\d$`: "v[0-9]", `^3.0$`: "3?0", `^a\*b$`: `a\*b`, `^(edge|latest)$`: "edge latest",
		`^v\d+$`: "", `^v1`: "", `v1`: "", `^(?i)v1$`: "", `^v1(-rc1)?$`: "", `^[^a]$`: "", `^v1|edge$`: "",
	} {
		got, ok := globs(expr)
		if ok != (want != "") || strings.Join(got, " ") != want && ok {
			t.Errorf("%s becomes %q, %v", expr, got, ok)
		}
		if !ok {
			continue
		}
		search := regexp.MustCompile(expr)
		for _, tag := range someTags {
			same := slices.ContainsFunc(got, func(glob string) bool { return doublestar.MatchUnvalidated(glob, tag) })
			if search.MatchString(tag) != same {
				t.Errorf("%s and %q differ for %s", expr, got, tag)
			}
		}
	}
}

// TestRepositoryGlob does the same for paths of repositories.
func TestRepositoryGlob(t *testing.T) {
	for expr, want := range map[string]string{
		`.*`: "**", `.+`: "**", `team/.*`: "team/*/**", `team/.+`: "team/*/**", `base`: "base", `team/app`: "team/app",
		`team.*`: "", `.*/app`: "", `team/[a-z]+`: "", `team|base`: "",
	} {
		got, ok := repositoryGlob(expr)
		if ok != (want != "") || got != want {
			t.Errorf("%s becomes %q, %v", expr, got, ok)
		}
		if !ok {
			continue
		}
		whole := regexp.MustCompile("^" + expr + "$")
		for _, path := range []string{"team", "team/app", "team/sub/app", "teams/app", "base", "base/x", "other"} {
			if whole.MatchString(path) != doublestar.MatchUnvalidated(got, path) {
				t.Errorf("%s and %s differ for %s", expr, got, path)
			}
		}
	}
}

func TestKeyPattern(t *testing.T) {
	for _, c := range []struct{ expr, name, tag, key string }{
		{`^.+-[0-9a-f]+-(?P<ts>\d+)$`, "ts", "main-a1-17", "17"},
		{`b(?P<a>x)(?P<n>[0-9]+)`, "n", "abx12c", "12"},
		{`(?P<n>\d)`, "n", "a1b2", "1"},
	} {
		pattern, ok := keyPattern(c.expr, c.name)
		if !ok {
			t.Errorf("%s has no pattern", c.expr)
			continue
		}
		groups := regexp.MustCompile("^(?:" + pattern + ")$").FindStringSubmatch(c.tag)
		if len(groups) != 2 || groups[1] != c.key {
			t.Errorf("%s finds %q in %s by %s", c.expr, groups, c.tag, pattern)
		}
	}
	if _, ok := keyPattern(`v(\d+)`, "n"); ok {
		t.Error("a group that is not there is a key")
	}
}
