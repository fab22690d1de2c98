package config

import "testing"

func TestRepositoryFilter(t *testing.T) {
	globs := func(globs ...string) []string { return globs }
	tests := []struct {
		name   string
		filter RepositoryFilter
		path   string
		want   bool
	}{
		{"the zero value", RepositoryFilter{}, "a/b", true},
		{"included", RepositoryFilter{Include: globs("x", "team-a/**")}, "team-a/b/c", true},
		{"** is also nothing", RepositoryFilter{Include: globs("team-a/**")}, "team-a", true},
		{"not included", RepositoryFilter{Include: globs("team-a/**")}, "team-ab/c", false},
		{"* is one component", RepositoryFilter{Include: globs("team-a/*")}, "team-a/b/c", false},
		{"anywhere", RepositoryFilter{Include: globs("**/app")}, "a/b/app", true},
		{"a name", RepositoryFilter{Include: globs("team-a/app")}, "team-a/app", true},
		{"braces", RepositoryFilter{Include: globs("team-{a,b}/*")}, "team-b/x", true},
		{"excluded", RepositoryFilter{Exclude: globs("**/scratch/**")}, "team-a/scratch/x", false},
		{"not excluded", RepositoryFilter{Exclude: globs("**/scratch/**")}, "team-a/x", true},
		{"included and excluded", RepositoryFilter{Include: globs("a/**"), Exclude: globs("a/b")}, "a/b", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.filter.Match(tt.path); got != tt.want {
				t.Errorf("Match(%q) = %v", tt.path, got)
			}
		})
	}
}
