package main

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
)

// version is a version as git describe prints it: a tag, the number of commits after it, and
// the last of them.
type version struct {
	core       string // 1.2.3
	prerelease string // rc.1
	after      string // 5.gabc1234, or 0.dirty with changes that are not committed
	commits    string // 5
}

var (
	tagged    = regexp.MustCompile(`^v?([0-9]+\.[0-9]+\.[0-9]+)(?:-([0-9A-Za-z.-]+))?$`)
	later     = regexp.MustCompile(`-([0-9]+)-(g[0-9a-f]+)$`)
	untagged  = regexp.MustCompile(`^[0-9a-f]{7,40}$`)
	apkSuffix = regexp.MustCompile(`^(alpha|beta|pre|rc)\.?([0-9]*)$`)
)

// parseVersion reads the output of git describe --tags --always --dirty.
func parseVersion(text string) (version, error) {
	rest, dirty := strings.CutSuffix(text, "-dirty")
	if untagged.MatchString(rest) {
		rest = "0.0.0-0-g" + rest
	}
	var v version
	if m := later.FindStringSubmatch(rest); m != nil {
		rest = strings.TrimSuffix(rest, m[0])
		v.commits, v.after = m[1], m[1]+"."+m[2]
	}
	if dirty {
		v.commits = cmp.Or(v.commits, "0")
		v.after = cmp.Or(v.after, "0") + ".dirty"
	}
	m := tagged.FindStringSubmatch(rest)
	if m == nil {
		return v, fmt.Errorf("invalid version %q (examples: v1.2.3, v1.2.3-rc.1, the output of git describe)", text)
	}
	v.core, v.prerelease = m[1], m[2]
	return v, nil
}

// isTag reports whether the version is a tag, and not a commit between tags.
func (v version) isTag() bool { return v.after == "" }

// number returns the version of the tag as the changelog has it: 1.2.3 or 1.2.3-rc.1.
func (v version) number() string {
	if v.prerelease == "" {
		return v.core
	}
	return v.core + "-" + v.prerelease
}

// debian returns the version for dpkg, which rpm sorts in the same way: 1.2.3~rc.1 comes
// before 1.2.3, and that before 1.2.3+5.gabc1234.
func (v version) debian() string {
	text := v.core
	if v.prerelease != "" {
		text += "~" + strings.ReplaceAll(v.prerelease, "-", ".")
	}
	if v.after != "" {
		text += "+" + v.after
	}
	return text
}

// alpine returns the version for apk: 1.2.3_rc1 comes before 1.2.3, and that before 1.2.3_p5.
// apk knows a few words only, and no commits.
func (v version) alpine() (string, error) {
	text := v.core
	if v.prerelease != "" {
		m := apkSuffix.FindStringSubmatch(v.prerelease)
		if m == nil {
			return "", fmt.Errorf("apk has no version for the prerelease %q (examples: alpha.1, beta.2, rc.1)", v.prerelease)
		}
		text += "_" + m[1] + m[2]
	}
	if v.commits != "" {
		text += "_p" + v.commits
	}
	return text, nil
}
