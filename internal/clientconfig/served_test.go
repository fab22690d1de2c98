package clientconfig

import (
	"slices"
	"testing"
)

func TestServedRoutes(t *testing.T) {
	registries := []string{"quay.io", "docker.io", "localhost:5000", "docker.io"}
	for format, want := range map[string][]Route{
		"containerd": {{"docker.io", "", true, "docker.io"}, {"localhost:5000", "", true, ""}, {"quay.io", "", true, "quay.io"}},
		"docker":     {{"docker.io", "", true, ""}},
	} {
		if got := ServedRoutes(format, registries); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", format, got, want)
		}
	}
}
