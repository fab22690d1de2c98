package config_test

import (
	"errors"
	"fmt"

	"github.com/oras-mirror/oras-mirror/config"
)

const mirror = `apiVersion: oras-mirror/v1alpha1
kind: Mirror
sources:
  - docker.io/alpine:3.20,3.21
  - repository: ghcr.io/acme/app
    tags: {semver: ">=1.4 <2", latest: 2}
    platforms: [linux/amd64]
mappings:
  - {source: docker.io/library, target: hub}
targets:
  - registry.corp.example/mirror
`

// Load a spec, list what it selects, and map a reference to its name in the target.
func Example() {
	spec, err := config.Parse("mirror.yaml", []byte(mirror))
	if err != nil {
		fmt.Println(err)
		return
	}
	selections, err := spec.Selections()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range selections {
		fmt.Println(s.Origin, s.Reference, s.Platforms)
	}
	tags, err := selections[2].Tags.Select([]string{"v1.3.0", "v1.5.0", "v1.4.2", "v1.4.0", "v2.0.0", "edge"})
	fmt.Println(tags, err)

	mapper, err := spec.Mapper()
	if err != nil {
		fmt.Println(err)
		return
	}
	targets, err := spec.ResolveTargets()
	if err != nil {
		fmt.Println(err)
		return
	}
	repository, tag, ok, err := mapper.Map(selections[0].Reference)
	fmt.Println(targets[0].Registry, targets[0].Join(repository), tag, ok, err)

	// Output:
	// mirror.yaml:4 docker.io/library/alpine:3.20 []
	// mirror.yaml:4 docker.io/library/alpine:3.21 []
	// mirror.yaml:5 ghcr.io/acme/app [linux/amd64]
	// [v1.4.2 v1.5.0] <nil>
	// registry.corp.example mirror/hub/alpine 3.20 true <nil>
}

// Every fault of a spec is reported at once, with its place and often with a suggestion.
func ExampleParse_faults() {
	_, err := config.Parse("mirror.yaml", []byte(`apiVersion: oras-mirror/v1alpha1
kind: Mirror
sources:
  - nginx:1.27
  - repository: quay.io/acme/app
    tag: {latest: 3}
`))
	if invalid, ok := errors.AsType[*config.LoadError](err); ok {
		for _, f := range invalid.Faults {
			fmt.Println(f.Line, f.Path, f.Message, f.Suggestion)
		}
	}
	// Output:
	// 4 sources[0] "nginx:1.27": no registry docker.io/library/nginx:1.27
	// 6 sources[1].tag unknown key tags
}
