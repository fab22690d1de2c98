package filter

import "testing"

func TestRepositories(t *testing.T) {
	globs := func(globs ...string) []string { return globs }
	tests := []struct {
		name   string
		filter Repositories
		path   string
		want   bool
	}{
		{"the zero value", Repositories{}, "a/b", true},
		{"included", Repositories{Include: globs("x", "team-a/**")}, "team-a/b/c", true},
		{"** is also nothing", Repositories{Include: globs("team-a/**")}, "team-a", true},
		{"not included", Repositories{Include: globs("team-a/**")}, "team-ab/c", false},
		{"* is one component", Repositories{Include: globs("team-a/*")}, "team-a/b/c", false},
		{"anywhere", Repositories{Include: globs("**/app")}, "a/b/app", true},
		{"a name", Repositories{Include: globs("team-a/app")}, "team-a/app", true},
		{"braces", Repositories{Include: globs("team-{a,b}/*")}, "team-b/x", true},
		{"excluded", Repositories{Exclude: globs("**/scratch/**")}, "team-a/scratch/x", false},
		{"not excluded", Repositories{Exclude: globs("**/scratch/**")}, "team-a/x", true},
		{"included and excluded", Repositories{Include: globs("a/**"), Exclude: globs("a/b")}, "a/b", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.filter.Match(tt.path); got != tt.want {
				t.Errorf("Match(%q) = %v", tt.path, got)
			}
		})
	}
}
