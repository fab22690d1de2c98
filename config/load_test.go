package config

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/config/filter"
)

var update = flag.Bool("update", false, "write the golden errors of testdata/spec/bad")

const specs = "../testdata/spec"

func TestLoadBadSpecs(t *testing.T) {
	for _, path := range filesOf(t, specs+"/bad/*.yaml") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Parse(filepath.Base(path), data)
			if _, ok := errors.AsType[*LoadError](err); !ok {
				t.Fatalf("got %v, want a *LoadError", err)
			}
			golden(t, strings.TrimSuffix(path, ".yaml")+".err", err.Error()+"\n")
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func filesOf(t testing.TB, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: no files (%v)", pattern, err)
	}
	return paths
}

func load(t *testing.T, path string) *Spec {
	t.Helper()
	spec, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// write writes a spec with apiVersion and kind into a new folder and loads it.
func write(t *testing.T, body string) *Spec {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mirror.yaml")
	if err := os.WriteFile(path, []byte(head+body), 0o644); err != nil {
		t.Fatal(err)
	}
	return load(t, path)
}

const head = "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\n"

func TestAliases(t *testing.T) {
	spec := load(t, specs+"/good/aliases.yaml")
	helm, kustomize := spec.Sources[1], spec.Sources[2]
	if helm.Repository != "ghcr.io/fluxcd/helm-controller" || helm.Tags.Semver != ">=1" || helm.Referrers == nil || *helm.Referrers {
		t.Errorf("merged: %+v", helm)
	}
	if want := (filter.Tags{Semver: ">=1", Regex: "v.*", Latest: 5}); !reflect.DeepEqual(kustomize.Tags, want) {
		t.Errorf("merged from two: %+v, want %+v", kustomize.Tags, want)
	}
}

// TestAliasBomb loads a few bytes that unfold to billions of values.
func TestAliasBomb(t *testing.T) {
	var b strings.Builder
	b.WriteString(head + "sources:\n- &a0 {repository: ghcr.io/a}\n")
	for i := range 12 {
		alias := "*a" + string(rune('a'+i-1))
		if i == 0 {
			alias = "*a0"
		}
		b.WriteString("- &a" + string(rune('a'+i)) + " {<<: [" + strings.Repeat(alias+",", 9) + "]}\n")
	}
	_, err := Parse("bomb.yaml", []byte(b.String()))
	if err == nil || !strings.Contains(err.Error(), "too many values") {
		t.Errorf("got %v", err)
	}
}

func TestLoadUnreadable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mirror.yaml")
	_, err := Load(path)
	if _, ok := errors.AsType[*LoadError](err); !ok || !errors.Is(err, fs.ErrNotExist) || err.Error() != path+": no such file or directory" {
		t.Errorf("got %v", err)
	}
	_, err = Load(t.TempDir())
	if _, ok := errors.AsType[*LoadError](err); !ok {
		t.Errorf("a folder: got %v", err)
	}
}
