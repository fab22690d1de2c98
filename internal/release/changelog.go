package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
)

// unreleased is the section of changes that no version has yet.
const unreleased = "Unreleased"

// kinds are the headings in a section of a changelog, in their order (keepachangelog.com).
var kinds = []string{"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}

// section is one version in a changelog.
type section struct {
	version string // 1.2.3, or unreleased
	date    string
	text    string // below the heading
}

var versionHeading = regexp.MustCompile(`^## (?:(Unreleased)|(\S+) - (\d{4}-\d{2}-\d{2}))$`)

// parseChangelog returns the sections of a changelog, and an error if it is not in the form of
// Keep a Changelog: the newest version first, each with its date and the known headings.
func parseChangelog(text string) ([]section, error) {
	var all []section
	for i, part := range strings.Split("\n"+text, "\n## ") {
		if i == 0 {
			continue // the introduction
		}
		heading, body, _ := strings.Cut(part, "\n")
		m := versionHeading.FindStringSubmatch("## " + heading)
		if m == nil {
			return nil, fmt.Errorf("invalid heading %q (examples: Unreleased, 1.2.3 - 2026-01-31)", heading)
		}
		s := section{version: m[1] + m[2], date: m[3], text: strings.Trim(body, "\n") + "\n"}
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("section %s: %w", s.version, err)
		}
		all = append(all, s)
	}
	for i := 1; i < len(all); i++ {
		if err := newerFirst(all[i-1], all[i]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// check checks the date and the headings of a section.
func (s section) check() error {
	if s.version != unreleased {
		if _, err := semver.StrictNewVersion(s.version); err != nil {
			return err
		}
		if _, err := time.Parse(time.DateOnly, s.date); err != nil {
			return err
		}
	}
	last := -1
	for i, part := range strings.Split("\n"+s.text, "\n### ") {
		if i == 0 {
			if strings.TrimSpace(part) != "" {
				return errors.New("text without a heading")
			}
			continue
		}
		kind, body, _ := strings.Cut(part, "\n")
		place := slices.Index(kinds, kind)
		switch {
		case place < 0:
			return fmt.Errorf("invalid heading %q (allowed: %s)", kind, strings.Join(kinds, ", "))
		case place <= last:
			return fmt.Errorf("%q is not in its place (order: %s)", kind, strings.Join(kinds, ", "))
		case !strings.Contains(body, "\n- "):
			return fmt.Errorf("%q has no changes", kind)
		}
		last = place
	}
	return nil
}

// newerFirst checks that a section is newer than the one below it.
func newerFirst(a, b section) error {
	if b.version == unreleased {
		return fmt.Errorf("%s is not the first section", unreleased)
	}
	if a.version == unreleased {
		return nil
	}
	if !semver.MustParse(a.version).GreaterThan(semver.MustParse(b.version)) || a.date < b.date {
		return fmt.Errorf("%s (%s) is above %s (%s)", a.version, a.date, b.version, b.date)
	}
	return nil
}

// notes returns the changes of a version. A tag needs a section of its own; a prerelease may
// use that of its version, and what has no tag has the unreleased changes.
func notes(changelog string, v version) (string, error) {
	all, err := parseChangelog(changelog)
	if err != nil {
		return "", fmt.Errorf("CHANGELOG.md: %w", err)
	}
	names := []string{v.number()}
	switch {
	case !v.isTag():
		names = []string{unreleased}
	case v.prerelease != "":
		names = append(names, v.core, unreleased)
	}
	for _, name := range names {
		for _, s := range all {
			if s.version == name {
				return s.text, nil
			}
		}
	}
	return "", fmt.Errorf("CHANGELOG.md has no section %q: give the unreleased changes their version and a date", names[0])
}
