package dockerhub

import "testing"

func TestOneName(t *testing.T) {
	for text, want := range map[string]struct{ registry, renamed, reference string }{
		"docker.io":                      {"docker.io", "docker.io", "docker.io"},
		"index.docker.io":                {"docker.io", "docker.io", "index.docker.io"},
		"registry-1.docker.io:443":       {"docker.io", "docker.io", "registry-1.docker.io:443"},
		"Registry.Hub.Docker.com":        {"docker.io", "docker.io", "Registry.Hub.Docker.com"},
		"registry-1.docker.io:5000":      {"registry-1.docker.io:5000", "registry-1.docker.io:5000", "registry-1.docker.io:5000"},
		"hub.docker.com":                 {"hub.docker.com", "hub.docker.com", "hub.docker.com"},
		"index.docker.io/alpine:3":       {"index.docker.io/alpine:3", "docker.io/alpine:3", "docker.io/library/alpine:3"},
		"docker.io/alpine@sha256:1":      {"docker.io/alpine@sha256:1", "docker.io/alpine@sha256:1", "docker.io/library/alpine@sha256:1"},
		"registry.hub.docker.com/a/b:1":  {"registry.hub.docker.com/a/b:1", "docker.io/a/b:1", "docker.io/a/b:1"},
		"index.docker.io/**":             {"index.docker.io/**", "docker.io/**", "docker.io/library/**"},
		"quay.io/index.docker.io/alpine": {"quay.io/index.docker.io/alpine", "quay.io/index.docker.io/alpine", "quay.io/index.docker.io/alpine"},
		"":                               {"", "", ""},
	} {
		if got := Registry(text); got != want.registry {
			t.Errorf("registry %q: %q", text, got)
		}
		if got := Rename(text); got != want.renamed {
			t.Errorf("%q is renamed %q", text, got)
		}
		if got := Reference(text); got != want.reference {
			t.Errorf("reference %q: %q", text, got)
		}
	}
}
