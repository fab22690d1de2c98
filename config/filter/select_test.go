package filter

import (
	"slices"
	"strings"
	"testing"
)

const fallbackTag = "sha256-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestSelect(t *testing.T) {
	all := []string{"latest", "v1.10.0", "v1.2.0", "v1.9.0", "v2.0.0-rc1", "v2.0.0", fallbackTag, fallbackTag + ".sig"}
	tests := []struct {
		name  string
		tags  Tags
		list  []string
		want  string
		needs bool
	}{
		{"the zero value", Tags{}, all, "latest v1.10.0 v1.2.0 v1.9.0 v2.0.0 v2.0.0-rc1", true},
		{"names alone", Tags{Names: []string{"v9", "v1.2.0", "v1.2.0"}}, all, "v1.2.0 v9", false},
		{"a name that holds referrers", Tags{Names: []string{fallbackTag}}, nil, fallbackTag, false},
		{"include", Tags{Include: []string{"v2*", "lat*"}}, all, "latest v2.0.0 v2.0.0-rc1", true},
		{"include does not name referrers", Tags{Include: []string{"sha256-*"}}, all, "", true},
		{"exclude alone", Tags{Exclude: []string{"v*"}}, all, "latest", true},
		{"braces and classes", Tags{Include: []string{"v1.{2,9}.[0-9]"}}, all, "v1.2.0 v1.9.0", true},
		{"regex is anchored", Tags{Regex: `v1|\d`}, all, "", true},
		{"regex", Tags{Regex: `v1\..*|latest`}, all, "latest v1.10.0 v1.2.0 v1.9.0", true},
		{"semver", Tags{Semver: ">=1.9"}, all, "v1.10.0 v1.9.0 v2.0.0", true},
		{"semver with prereleases", Tags{Semver: ">=2.0.0-0"}, all, "v2.0.0 v2.0.0-rc1", true},
		{"semver alternatives", Tags{Semver: "~1.2 || ^2"}, all, "v1.2.0 v2.0.0", true},
		{"all three", Tags{Include: []string{"v1*"}, Regex: `.*\.0`, Semver: ">1.2"}, all, "v1.10.0 v1.9.0", true},
		{"names join", Tags{Names: []string{"edge"}, Semver: "^2"}, all, "edge v2.0.0", true},
		{"exclude holds for names", Tags{Names: []string{"a", "b"}, Exclude: []string{"a"}}, nil, "b", false},
		{"latest by version", Tags{Semver: "*", Latest: 2}, all, "v1.10.0 v2.0.0", true},
		{"latest orders prereleases", Tags{Include: []string{"v2*"}, Latest: 1}, all, "v2.0.0", true},
		{"latest by the list", Tags{Latest: 2}, []string{"b", "z", "v1", "a"}, "a v1", true},
		{"latest of fewer", Tags{Latest: 5}, []string{"b", "a"}, "a b", true},
		{"latest without a v", Tags{Latest: 1}, []string{"9", "10", "1.5"}, "10", true},
		{"latest of equal versions", Tags{Latest: 1}, []string{"v1.0", "1.0.0", "1.0"}, "v1.0", true},
		{"latest of names that are versions", Tags{Names: []string{"v1.9", "v1.10"}, Latest: 1}, nil, "v1.10", false},
		{"latest of names that are none", Tags{Names: []string{"b", "a"}, Latest: 1}, []string{"b", "a"}, "a", true},
		{"latest of names after exclude", Tags{Names: []string{"b", "v1", "v2"}, Exclude: []string{"b"}, Latest: 1}, nil, "v2", false},
		{"latest of few names", Tags{Names: []string{"b", "a"}, Latest: 2}, nil, "a b", false},
		{"a page that repeats", Tags{}, []string{"a", "b", "a"}, "a b", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list, names := slices.Clone(tt.list), slices.Clone(tt.tags.Names)
			got, err := tt.tags.Select(list)
			if err != nil || strings.Join(got, " ") != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
			if needs := tt.tags.NeedsList(); needs != tt.needs {
				t.Errorf("NeedsList() = %v", needs)
			}
			if !slices.Equal(list, tt.list) || !slices.Equal(names, tt.tags.Names) {
				t.Error("the caller's slices changed")
			}
		})
	}
}

func TestOrder(t *testing.T) {
	all := []string{"v1.10.0", "v1.9.0", "edge", "v2.0.0"}
	tests := []struct {
		name string
		tags Tags
		want string
	}{
		{"no latest", Tags{}, ""},
		{"nothing is dropped", Tags{Latest: 4}, ""},
		{"versions", Tags{Semver: "*", Latest: 2}, OrderSemver},
		{"not all are versions", Tags{Latest: 3}, OrderList},
		{"what is excluded does not count", Tags{Exclude: []string{"edge"}, Latest: 1}, OrderSemver},
		{"names", Tags{Names: []string{"b", "a"}, Latest: 1}, OrderList},
		{"no selection", Tags{Regex: "(", Latest: 1}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.tags.Order(all); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSelectError(t *testing.T) {
	for _, tags := range []Tags{
		{Include: []string{"["}}, {Exclude: []string{"["}}, {Regex: "("}, {Regex: "a)|(b"}, {Semver: "newest"},
	} {
		if got, err := tags.Select([]string{"a"}); err == nil {
			t.Errorf("%+v selects %q", tags, got)
		}
	}
}

func TestIsReferrersTag(t *testing.T) {
	hex := strings.Repeat("0123456789abcdef", 8)
	for tag, want := range map[string]bool{
		fallbackTag:                  true,
		fallbackTag + ".sig":         true,
		fallbackTag + ".att":         true,
		fallbackTag + ".sbom":        true,
		"sha512-" + hex[:64]:         true,
		"sha512-" + hex + ".sig":     true,
		fallbackTag + ".txt":         false,
		fallbackTag + "0":            false,
		"sha256-" + hex[:63]:         false,
		"sha256-" + hex + ".sig":     false,
		strings.ToUpper(fallbackTag): false,
		"v1":                         false,
		"x" + fallbackTag:            false,
	} {
		if IsReferrersTag(tag) != want {
			t.Errorf("IsReferrersTag(%q) = %v", tag, !want)
		}
	}
}
