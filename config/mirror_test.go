package config

import (
	"slices"
	"testing"
)

// TestAsked lists the registries that a run asks: mirrors first, and not those of mirrorsOnly.
func TestAsked(t *testing.T) {
	spec := &Spec{Registries: []RegistrySettings{
		{Registry: "docker.io", Mirrors: []Mirror{{"cache.example", "hub"}, {"other.example", ""}}},
		{Registry: "quay.io", Mirrors: []Mirror{{"cache.example", "quay"}}, MirrorsOnly: true},
	}}
	for _, c := range []struct{ registries, want []string }{
		{nil, nil},
		{[]string{"ghcr.io"}, []string{"ghcr.io"}},
		{[]string{"docker.io", "ghcr.io"}, []string{"docker.io", "cache.example", "other.example", "ghcr.io"}},
		{[]string{"quay.io"}, []string{"cache.example"}},
		{[]string{"quay.io", "docker.io"}, []string{"cache.example", "docker.io", "other.example"}},
	} {
		if got := spec.Asked(c.registries); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.registries, got, c.want)
		}
	}
	if got := (*Spec)(nil).Asked([]string{"docker.io"}); !slices.Equal(got, []string{"docker.io"}) {
		t.Errorf("without a spec: %v", got)
	}
}
