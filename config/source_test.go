package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/config/filter"
)

func TestSelections(t *testing.T) {
	t.Setenv("LAYOUT", "layout")
	spec := load(t, specs+"/good/every-key.yaml")
	got, err := spec.Selections()
	if err != nil {
		t.Fatal(err)
	}
	file, list := specs+"/good/every-key.yaml", specs+"/good/images.txt"
	want := []string{
		file + ":25 registry.k8s.io/kube-apiserver-arm64:v1.31.0",
		file + ":26 registry.k8s.io/pause",
		file + ":27 docker.io/library/alpine:3.20",
		file + ":27 docker.io/library/alpine:3.21",
		file + ":28 ghcr.io/acme/app:v1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		file + ":29 ghcr.io/fluxcd/source-controller",
		file + ":39 ",
		list + ":3 registry.k8s.io/pause:3.10",
		list + ":4 registry.k8s.io/etcd:3.5.15-0",
		list + ":4 registry.k8s.io/etcd:3.5.16-0",
		list + ":5 quay.io/coreos/flannel",
		file + ":49 registry.corp.example/vendor/app",
		specs + "/good/deploy/web/pod.yaml:6 docker.io/library/nginx:latest",
		specs + "/good/deploy/web/pod.yaml:7 ghcr.io/acme/app:v2",
		file + ":54 ghcr.io/acme/charts/app",
		file + ":56 charts.acme.example/stable/agent",
		file + ":59 quay.io/acme/nightly",
	}
	if lines := origins(got); strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	for i, s := range got {
		selection := i == 5
		if s.Referrers == selection || s.Optional != selection || (s.Tags.Latest == 3) != selection {
			t.Errorf("%s: %+v", s.Reference, s)
		}
		platforms := "[linux/amd64 linux/arm64]"
		switch {
		case i == 6:
			platforms = "[linux/arm/v7]"
		case strings.HasPrefix(s.Origin, list):
			platforms = "[]"
		}
		if fmt.Sprint(s.Platforms) != platforms {
			t.Errorf("%s: platforms %s, want %s", s.Origin, s.Platforms, platforms)
		}
	}
	whole := Selection{
		Registry:      "registry.corp.example",
		Repositories:  filter.Repositories{Include: []string{"team-a/**", "charts/*"}, Exclude: []string{"team-a/scratch/**"}},
		Tags:          filter.Tags{Latest: 1},
		Platforms:     []Platform{{"linux", "arm", "v7"}},
		Referrers:     true,
		ReferrerTypes: []string{"application/vnd.dev.cosign.*", "*sbom*"},
		Origin:        file + ":39",
	}
	if !reflect.DeepEqual(got[6], whole) {
		t.Errorf("a registry: %+v, want %+v", got[6], whole)
	}
	if layout := got[11].Layout; layout != filepath.Join(specs, "good/vendor/layout") {
		t.Errorf("layout %q is not beside the spec", layout)
	}
}

func TestSelectionDefaults(t *testing.T) {
	spec := write(t, `
defaults: {referrers: false, platforms: [windows/amd64, linux/x86_64]}
sources:
  - ghcr.io/a
  - {repository: ghcr.io/b, referrers: true, platforms: [all]}
  - {list: list, optional: true}
  - {layout: /abs/olute}
  - {registry: ghcr.io, referrers: {artifactTypes: ["a/*"]}}
`)
	if err := os.WriteFile(filepath.Join(filepath.Dir(spec.file), "list"), []byte("ghcr.io/c"), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := spec.Selections()
	if err != nil || len(got) != 5 {
		t.Fatalf("%v, %v", got, err)
	}
	for i, want := range []string{
		"false [] [linux/amd64 windows/amd64]",
		"true [] []",
		"false [] [linux/amd64 windows/amd64]",
		"false [] [linux/amd64 windows/amd64]",
		"true [a/*] [linux/amd64 windows/amd64]",
	} {
		s := got[i]
		if inherited := fmt.Sprint(s.Referrers, s.ReferrerTypes, s.Platforms); inherited != want || s.Optional != (i == 2) {
			t.Errorf("%+v: got %s, want %s", s, inherited, want)
		}
	}
	if got[3].Layout != "/abs/olute" || got[3].Reference != (Reference{}) {
		t.Errorf("%+v", got[3])
	}
}

// TestApplyDefaults applies defaults to references from arguments.
func TestApplyDefaults(t *testing.T) {
	for defaults, want := range map[string]string{
		"{}":                                  "true [] []",
		"{referrers: true, platforms: [all]}": "true [] []",
		"{referrers: false, platforms: [linux/arm64, linux/amd64]}":      "false [] [linux/amd64 linux/arm64]",
		"{referrers: {artifactTypes: [b, a]}, platforms: [linux/s390x]}": "true [b a] [linux/s390x]",
	} {
		all, err := Arguments([]string{"ghcr.io/a:v1", "ghcr.io/b:v1"})
		if err != nil {
			t.Fatal(err)
		}
		write(t, "defaults: "+defaults+"\n").ApplyDefaults(all)
		for _, s := range all {
			if got := fmt.Sprint(s.Referrers, s.ReferrerTypes, s.Platforms); got != want {
				t.Errorf("defaults: %s: got %s, want %s", defaults, got, want)
			}
		}
	}
}

// TestSelectionFaults reports all faults at once that occur when a spec is used.
func TestSelectionFaults(t *testing.T) {
	spec := write(t, `
sources:
  - list: missing.txt
  - list: ${NO_SUCH_LIST}
  - list: empty.txt
  - list: invalid.txt
  - layout: a/${NO_SUCH_LAYOUT}
  - {list: empty.txt, optional: true}
`)
	dir := filepath.Dir(spec.file)
	for name, content := range map[string]string{"empty.txt": "# nothing\n", "invalid.txt": "a\nb\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, err := spec.Selections()
	want := strings.ReplaceAll(`DIR/mirror.yaml:5:11: sources[0].list: open DIR/missing.txt: no such file or directory
DIR/mirror.yaml:6:11: sources[1].list: environment variable NO_SUCH_LIST is not set
DIR/mirror.yaml:7:11: sources[2].list: DIR/empty.txt has no references
DIR/invalid.txt:1:1: "a": no registry (did you mean "docker.io/library/a"?)
DIR/invalid.txt:2:1: "b": no registry (did you mean "docker.io/library/b"?)
DIR/mirror.yaml:9:13: sources[4].layout: environment variable NO_SUCH_LAYOUT is not set`, "DIR", dir)
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("the cause is lost")
	}
}
