package main

import (
	"os"
	"strings"
	"testing"
)

// TestChangelog checks the form of CHANGELOG.md.
func TestChangelog(t *testing.T) {
	text, err := os.ReadFile("../../CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	all, err := parseChangelog(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if last := all[len(all)-1]; last.version != "0.1.0" || !strings.HasPrefix(last.text, "### Added\n") {
		t.Errorf("the first version is %s: %.40s", last.version, last.text)
	}
}

func TestChangelogFaults(t *testing.T) {
	const added = "\n### Added\n\n- A.\n"
	for _, test := range []struct{ text, want string }{
		{"## 1.0.0\n" + added, `invalid heading "1.0.0"`},
		{"## 1.0 - 2026-01-31\n" + added, "section 1.0: "},
		{"## 1.0.0 - 2026-01-32\n" + added, "section 1.0.0: parsing time"},
		{"## Unreleased\n\n### New\n\n- A.\n", `section Unreleased: invalid heading "New"`},
		{"## Unreleased\n\n### Fixed\n\n- A.\n" + added, `"Added" is not in its place`},
		{"## Unreleased\n" + added + added, `"Added" is not in its place`},
		{"## Unreleased\n\n### Added\n", `"Added" has no changes`},
		{"## Unreleased\n\n- A.\n", "text without a heading"},
		{"## 1.0.0 - 2026-01-31\n" + added + "\n## Unreleased\n" + added, "Unreleased is not the first section"},
		{"## 1.0.0 - 2026-01-31\n" + added + "\n## 1.1.0 - 2026-01-30\n" + added, "1.0.0 (2026-01-31) is above 1.1.0 (2026-01-30)"},
		{"## 1.1.0 - 2026-01-31\n" + added + "\n## 1.0.0 - 2026-02-01\n" + added, "1.1.0 (2026-01-31) is above 1.0.0 (2026-02-01)"},
	} {
		if _, err := parseChangelog("# Changelog\n\n" + test.text); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v, want %s", test.text, err, test.want)
		}
	}
}

func TestNotesOfAVersion(t *testing.T) {
	changelog := "# Changelog\n\n## Unreleased\n\n### Added\n\n- New.\n\n## 1.2.3 - 2026-01-31\n\n### Added\n\n#### Topic\n\n- Old.\n\n## 1.0.0-rc.1 - 2026-01-01\n\n### Fixed\n\n- First.\n"
	const unreleased, old = "### Added\n\n- New.\n", "### Added\n\n#### Topic\n\n- Old.\n"
	for _, test := range []struct{ version, want string }{
		{"v1.2.3", old},
		{"v1.2.3-rc.1", old},
		{"v1.2.3-5-gabc1234", unreleased},
		{"v1.2.3-dirty", unreleased},
		{"abc1234", unreleased},
		{"v2.0.0-rc.1", unreleased},
		{"v1.0.0-rc.1", "### Fixed\n\n- First.\n"},
	} {
		v, err := parseVersion(test.version)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := notes(changelog, v); got != test.want || err != nil {
			t.Errorf("%s: %q, %v", test.version, got, err)
		}
	}
	if got, err := notes(changelog, version{core: "2.0.0"}); err == nil || !strings.Contains(err.Error(), `no section "2.0.0"`) {
		t.Errorf("got %q, %v", got, err)
	}
}
