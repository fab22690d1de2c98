package advice

import (
	"cmp"
	"fmt"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
)

// TestTheMappingOfAHintSeparatesTwoSources puts the mapping of a hint before those of a spec.
func TestTheMappingOfAHintSeparatesTwoSources(t *testing.T) {
	for name, test := range map[string]struct {
		mappings    []config.Mapping
		left, right string
	}{
		"two registries":          {nil, "ghcr.io/acme/app:v1", "quay.io/acme/app:v1"},
		"a registry with a port":  {nil, "ghcr.io/acme/app:v1", "localhost:5000/acme/app:v1"},
		"Docker Hub":              {nil, "ghcr.io/library/nginx:v1", "docker.io/nginx:v1"},
		"two paths":               {[]config.Mapping{{Source: "ghcr.io/a", Target: "x"}, {Source: "ghcr.io/b", Target: "x"}}, "ghcr.io/a/app:v1", "ghcr.io/b/app:v1"},
		"the place is taken":      {[]config.Mapping{{Source: "ghcr.io/acme", Target: "quay.io/acme"}, {Source: "quay.io/acme", Target: "quay.io/acme"}}, "ghcr.io/acme/app:v1", "quay.io/acme/app:v1"},
		"two tags":                {[]config.Mapping{{Source: "ghcr.io/acme", Target: "acme", Tags: []config.TagMapping{{Source: "v*", Target: "*"}}}}, "ghcr.io/acme/app:1.0", "ghcr.io/acme/app:v1.0"},
		"two tags, the other way": {[]config.Mapping{{Source: "ghcr.io/acme", Target: "acme", Tags: []config.TagMapping{{Source: "v*", Target: "*"}}}}, "ghcr.io/acme/app:v1.0", "ghcr.io/acme/app:1.0"},
	} {
		t.Run(name, func(t *testing.T) {
			place := func(mappings []config.Mapping, reference string) string {
				t.Helper()
				m, err := config.NewMapper(mappings)
				if err != nil {
					t.Fatal(err)
				}
				ref, err := config.ParseReference(reference)
				if err != nil {
					t.Fatal(err)
				}
				repository, tag, _, err := m.Map(ref)
				if err != nil {
					t.Fatal(err)
				}
				return repository + ":" + tag
			}
			at := place(test.mappings, test.left)
			if at != place(test.mappings, test.right) {
				t.Fatal("they do not collide")
			}
			m, ok := separating(&engine.CollisionError{Target: "registry.corp.example/" + at, Sources: [2]string{test.left, test.right}})
			if !ok {
				t.Fatal("no mapping")
			}
			spec := fmt.Sprintf("apiVersion: %s\nkind: %s\nmappings:\n  - {source: %s, target: %s}\n", config.APIVersion, config.Kind, m.Source, cmp.Or(m.Target, "x"))
			if _, err := config.Parse("spec", []byte(spec)); err != nil {
				t.Errorf("it is not a mapping as it is shown: %v", err)
			}
			mappings := append([]config.Mapping{m}, test.mappings...)
			if len(m.Tags) > 0 { // it goes into the mapping of that repository
				mappings = test.mappings
				mappings[0].Tags = append(m.Tags, mappings[0].Tags...)
			}
			if left, right := place(mappings, test.left), place(mappings, test.right); left == right {
				t.Errorf("both are at %s with %+v", left, m)
			}
		})
	}
}

func TestNoMappingSeparatesTwoDigestsOfOneTag(t *testing.T) {
	m, ok := separating(&engine.CollisionError{Target: "a.io/b:v1", Sources: [2]string{"a.io/b:v1", "a.io/b:v1@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}})
	if !ok || m.Source != "" {
		t.Errorf("got %+v, %v", m, ok)
	}
	if _, ok := separating(&engine.CollisionError{Sources: [2]string{"v1", "v2"}}); ok {
		t.Error("bare tags are separated")
	}
}
