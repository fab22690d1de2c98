package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
		file + ":22 registry.k8s.io/kube-apiserver-arm64:v1.31.0",
		file + ":23 registry.k8s.io/pause",
		file + ":24 docker.io/library/alpine:3.20",
		file + ":24 docker.io/library/alpine:3.21",
		file + ":25 ghcr.io/acme/app:v1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		file + ":26 ghcr.io/fluxcd/source-controller",
		list + ":3 registry.k8s.io/pause:3.10",
		list + ":4 registry.k8s.io/etcd:3.5.15-0",
		list + ":4 registry.k8s.io/etcd:3.5.16-0",
		list + ":5 quay.io/coreos/flannel",
		file + ":37 registry.corp.example/vendor/app",
	}
	if lines := origins(got); strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	for i, s := range got {
		selection := i == 5
		if s.Referrers == selection || s.Optional != selection || (s.Tags.Latest == 3) != selection {
			t.Errorf("%s: %+v", s.Reference, s)
		}
	}
	if layout := got[len(got)-1].Layout; layout != filepath.Join(specs, "good/vendor/layout") {
		t.Errorf("layout %q is not beside the spec", layout)
	}
}

func TestSelectionDefaults(t *testing.T) {
	spec := write(t, `
defaults: {referrers: false}
sources:
  - ghcr.io/a
  - {repository: ghcr.io/b, referrers: true}
  - {list: list, optional: true}
  - {layout: /abs/olute}
`)
	if err := os.WriteFile(filepath.Join(filepath.Dir(spec.name), "list"), []byte("ghcr.io/c"), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := spec.Selections()
	if err != nil || len(got) != 4 {
		t.Fatalf("%v, %v", got, err)
	}
	for i, referrers := range []bool{false, true, false, false} {
		if got[i].Referrers != referrers || got[i].Optional != (i == 2) {
			t.Errorf("%+v", got[i])
		}
	}
	if got[3].Layout != "/abs/olute" || got[3].Reference != (Reference{}) {
		t.Errorf("%+v", got[3])
	}
}

// Everything that is wrong is said at once, also where it shows only in use.
func TestSelectionFaults(t *testing.T) {
	spec := write(t, `
sources:
  - list: missing.txt
  - list: ${NO_SUCH_LIST}
  - list: empty.txt
  - list: wrong.txt
  - layout: a/${NO_SUCH_LAYOUT}
  - {list: empty.txt, optional: true}
`)
	dir := filepath.Dir(spec.name)
	for name, content := range map[string]string{"empty.txt": "# nothing\n", "wrong.txt": "a\nb\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, err := spec.Selections()
	want := strings.ReplaceAll(`DIR/mirror.yaml:5:11: sources[0].list: open DIR/missing.txt: no such file or directory
DIR/mirror.yaml:6:11: sources[1].list: environment variable NO_SUCH_LIST is not set
DIR/mirror.yaml:7:11: sources[2].list: DIR/empty.txt has no references
DIR/wrong.txt:1:1: "a": no registry (did you mean "docker.io/library/a"?)
DIR/wrong.txt:2:1: "b": no registry (did you mean "docker.io/library/b"?)
DIR/mirror.yaml:9:13: sources[4].layout: environment variable NO_SUCH_LAYOUT is not set`, "DIR", dir)
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("the cause is lost")
	}
}
