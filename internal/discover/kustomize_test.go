package discover

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const base = `== base/deployment.yaml
kind: Deployment
spec: {template: {spec: {containers: [{image: app}, {image: docker.io/library/nginx:1.25}]}}}
== base/kustomization.yaml
resources: [deployment.yaml]
`

// TestOverlays counts the images of a base only as its overlays change them.
func TestOverlays(t *testing.T) {
	check(t, archive(base+`== overlays/prod/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../../base]
images:
- {name: app, newName: ghcr.io/acme/app, newTag: v2}
- name: docker.io/library/nginx
  digest: sha256:11
== overlays/test/kustomization.yaml
bases:
- ../../base/
images:
- {name: app, newTag: v3}
- {name: nginx, newTag: "9"}
== other.yaml
kind: Pod
spec: {containers: [{image: app:v0}]}
`),
		"ghcr.io/acme/app:v2 base/deployment.yaml:2",
		"docker.io/library/nginx@sha256:11 base/deployment.yaml:2",
		"app:v3 base/deployment.yaml:2",
		"docker.io/library/nginx:1.25 base/deployment.yaml:2",
		"app:v0 other.yaml:2")
}

// TestNestedKustomizations applies the inner overrides first, then those of components, then the
// outer ones.
func TestNestedKustomizations(t *testing.T) {
	check(t, archive(base+`== middle/kustomization.yml
resources: [../base]
images: [{name: app, newName: inner, newTag: v1}]
== parts/kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
images: [{name: inner, newName: changed}]
== outer/Kustomization
resources: [../middle]
components: [../parts]
images: [{name: changed, tagSuffix: -x}, {name: app, newTag: never}]
`),
		"changed:v1-x base/deployment.yaml:2",
		"docker.io/library/nginx:1.25 base/deployment.yaml:2")
}

// TestPatches finds the images of patches, in files and in the kustomization, beside those that
// they replace.
func TestPatches(t *testing.T) {
	check(t, archive(base+`== k/kustomization.yaml
resources:
- ../base
patches:
- path: patch.yaml
- target: {kind: Deployment}
  patch: |-
    - op: replace
      path: /spec/template/spec/containers/0/image
      value: inline:1
- patch: "- {op: replace, path: /spec/template/spec/containers/0/image, value: quoted:1}"
patchesStrategicMerge:
- |
  kind: Deployment
  spec: {template: {spec: {containers: [{image: merged:1}]}}}
images: [{name: patched, newTag: v2}]
== k/patch.yaml
spec: {template: {spec: {containers: [{image: patched:1}]}}}
`),
		"app base/deployment.yaml:2",
		"docker.io/library/nginx:1.25 base/deployment.yaml:2",
		"patched:v2 k/patch.yaml:1",
		"merged:1 k/kustomization.yaml:14",
		"inline:1 k/kustomization.yaml:9",
		"quoted:1 k/kustomization.yaml:10")
}

// TestUnknownResources lists what overrides give to images that are not in the files.
func TestUnknownResources(t *testing.T) {
	check(t, archive(`== kustomization.yaml
resources:
- https://github.com/acme/app//deploy?ref=v1
- deployment.yaml
images:
- {name: ghcr.io/acme/app, newTag: v1}
- {name: nginx, newName: registry.example/nginx, digest: sha256:22}
- {name: nginx, newName: registry.example/nginx}
helmCharts:
- {name: minecraft, repo: https://charts.example}
`),
		"ghcr.io/acme/app:v1 kustomization.yaml:5",
		"registry.example/nginx@sha256:22 kustomization.yaml:6",
		"- kustomization.yaml:2 : resources[0] https://github.com/acme/app//deploy?ref=v1 (it is not one of the files)",
		"- kustomization.yaml:3 : resources[1] deployment.yaml (it is not one of the files)",
		"- kustomization.yaml:7 : images[2] nginx (it has no newTag and no digest, and is in none of the files)",
		"- kustomization.yaml:9 : helmCharts[0] minecraft (a chart that kustomize renders)")
}

// TestVariablesThatKustomizeReplaces accepts a placeholder that an override replaces, and no
// other.
func TestVariablesThatKustomizeReplaces(t *testing.T) {
	check(t, archive(`== kustomization.yaml
resources: [pod.yaml]
images: [{name: app, newTag: v1}]
== pod.yaml
kind: Pod
spec: {containers: [{image: "app:{TAG}"}, {image: "app:${TAG}"}, {image: "web:${TAG}"}]}
`),
		"app:v1 pod.yaml:2",
		`! pod.yaml:2:51 Pod: spec.containers[1].image: "app:${TAG}": a variable in the name of an image`,
		`! pod.yaml:2:74 Pod: spec.containers[2].image: "web:${TAG}": a variable in the name of an image`)
}

// TestKustomizationsInACircle reports them, and does not hang.
func TestKustomizationsInACircle(t *testing.T) {
	f := Find(slices.Values(archive("== a/kustomization.yaml\nresources: [../b]\n== b/kustomization.yaml\nresources: [../a]\n== c/kustomization.yaml\nresources: [kustomization.yaml, .]\n")))
	text := strings.Join(lines(f), "\n")
	for _, file := range []string{"a/", "c/"} {
		if !strings.Contains(text, "! "+file+"kustomization.yaml:1:") || !strings.Contains(text, "the kustomization uses itself") {
			t.Errorf("got\n%s", text)
		}
	}
}

// TestKustomizationsThatMultiply bounds images that double with each level.
func TestKustomizationsThatMultiply(t *testing.T) {
	text := base + "== l0a/kustomization.yaml\nresources: [../base]\n== l0b/kustomization.yaml\nresources: [../base]\n"
	for i := range 30 {
		for _, side := range []string{"a", "b"} {
			text += fmt.Sprintf("== l%d%s/kustomization.yaml\nresources: [../l%da, ../l%db]\nimages: [{name: app, tagSuffix: %s}]\n", i+1, side, i, i, side)
		}
	}
	f := Find(slices.Values(archive(text)))
	if len(f.Faults) == 0 || len(f.Images) > 3*maxImages {
		t.Errorf("%d images, %d faults", len(f.Images), len(f.Faults))
	}
}

// TestFieldsOfKustomize replaces no more fields than kustomize does.
func TestFieldsOfKustomize(t *testing.T) {
	check(t, archive(`== kustomization.yaml
resources: [a.yaml]
images: [{name: app, newTag: v1}]
== a.yaml
kind: Pod
spec:
  containers: [{image: app}]
  initContainers: [{image: app}]
  ephemeralContainers: [{image: app}]
  volumes: [{image: {reference: app}}]
---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
spec: {image: app, containers: [{image: app}]}
`), "app:v1 a.yaml:3", "app:v1 a.yaml:4", "app a.yaml:5", "app:v1 a.yaml:6", "app a.yaml:10", "app:v1 a.yaml:10")
}

func TestReplace(t *testing.T) {
	const d = "@sha256:11"
	for _, test := range []struct {
		image string
		o     override
		want  string // "" if it does not match
	}{
		{"app", override{name: "app", newTag: "2"}, "app:2"},
		{"app:1" + d, override{name: "app", newTag: "2"}, "app:2"},
		{"app:1", override{name: "app", digest: "sha256:11"}, "app" + d},
		{"app:1", override{name: "app", newTag: "2", digest: "sha256:11"}, "app:2" + d},
		{"app:1" + d, override{name: "app", newName: "x.io/y"}, "x.io/y:1" + d},
		{"app:1", override{name: "app", suffix: "-a"}, "app:1-a"},
		{"localhost:5000/app", override{name: "localhost:5000/app", newTag: "2"}, "localhost:5000/app:2"},
		{"localhost:5000/app:1", override{name: "localhost", newTag: "2"}, ""},
		{"x/app:1", override{name: "app", newTag: "2"}, ""},
		{"app:1", override{newTag: "2"}, ""},
	} {
		got := ""
		if test.o.matches(test.image) {
			got = test.o.replace(test.image)
		}
		if got != test.want {
			t.Errorf("%s, %+v: got %q, want %q", test.image, test.o, got, test.want)
		}
	}
}
