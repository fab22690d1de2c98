package oci

import (
	"testing"

	"github.com/opencontainers/go-digest"
)

// TestNamesOfDockerHubAreOneInALayout reads the names that other tools give the same
// image.
func TestNamesOfDockerHubAreOneInALayout(t *testing.T) {
	for _, names := range [][2]string{
		{"index.docker.io/library/alpine:3", ""}, {"", "index.docker.io/library/alpine:3"}, {"3", "registry-1.docker.io/library/alpine:3"},
		{"registry.hub.docker.com/alpine:3", "docker.io/library/alpine:3"}, {"docker.io/alpine:3", ""},
	} {
		e := Entry{Digest: digest.FromString("x")}
		e.setNames(names[0], names[1])
		if e.Name != "docker.io/library/alpine:3" {
			t.Errorf("%q is called %q", names, e.Name)
		}
		written := make(map[string]string)
		e.annotate(written)
		if got := written["org.opencontainers.image.ref.name"]; names[0] != "" && got != names[0] {
			t.Errorf("%q is written as %q", names[0], got)
		}
		var again Entry
		again.setNames(written["org.opencontainers.image.ref.name"], written[AnnotationImageName])
		if again.Name != e.Name {
			t.Errorf("%q is called %q when it is read again", names, again.Name)
		}
	}
}
