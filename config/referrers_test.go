package config

import "testing"

func TestWantsReferrer(t *testing.T) {
	const signature, sbom = "application/vnd.dev.cosign.artifact.sig.v1+json", "application/spdx+json"
	types := func(globs ...string) Selection { return Selection{Referrers: true, ReferrerTypes: globs} }
	tests := []struct {
		name         string
		selection    Selection
		artifactType string
		want         bool
	}{
		{"all", types(), signature, true},
		{"all, also without a type", types(), "", true},
		{"none", Selection{}, signature, false},
		{"none of a type", Selection{ReferrerTypes: []string{"*"}}, signature, false},
		{"exact", types(sbom), sbom, true},
		{"another", types(sbom), signature, false},
		{"not a part", types("application/spdx"), sbom, false},
		{"one of two", types(sbom, "application/vnd.dev.cosign.*"), signature, true},
		{"across the slash", types("*+json"), sbom, true},
		{"all of them by a glob", types("*"), sbom, true},
		{"no type by a glob", types("*"), "", true},
		{"no type by a name", types(sbom), "", false},
		{"one character", types("application?spdx+json"), sbom, true},
		{"a class", types("application/[a-s]*"), sbom, true},
		{"a plus is a plus", types("application/spdxx+json"), "application/spdxxx+json", false},
		{"no glob", types("["), "[", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.selection.WantsReferrer(tt.artifactType); got != tt.want {
				t.Errorf("WantsReferrer(%q) = %v", tt.artifactType, got)
			}
		})
	}
}
