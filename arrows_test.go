package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/oras-mirror/oras-mirror"

// goPackage is what "go list -json" says of one.
type goPackage struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
	Deps       []string
}

// TestArrows holds who may import whom. See docs/architecture.md.
func TestArrows(t *testing.T) {
	packages := listPackages(t)
	// What one package must not reach, by whatever way.
	for _, arrow := range []struct{ from, never string }{
		{"/config", "/store"}, {"/config", "/engine"}, {"/config", "net/http"},
		{"/store", "/config"}, {"/store", "/engine"}, {"/store", "net/http"},
		{"/store/bundle", "/"},
		{"/engine", kongPath}, {"/engine", progressbarPath},
		{"/engine/fetch", "/config"}, {"/engine/fetch", "/store"}, {"/engine/fetch", "/engine/registry"}, {"/engine/fetch", "net/http"},
		{"/engine/registry", "/config"}, {"/engine/registry", "/store"},
		{"/schemas", "/"},
		{"/internal/strictyaml", "/config"}, {"/internal/strictyaml", "/store"}, {"/internal/strictyaml", "/engine"}, {"/internal/strictyaml", "net/http"},
		{"/internal/atomicfile", "/"}, {"/internal/bounds", "/"}, {"/internal/cosign", "/"}, {"/internal/dockerhub", "/"}, {"/internal/loopback", "/"}, {"/internal/platform", "/"}, {"/internal/redact", "/"}, {"/internal/spelling", "/"},
		{"/clientconfig", "/store"}, {"/clientconfig", "/engine"}, {"/clientconfig", "net/http"},
	} {
		for _, p := range packages {
			if !below(p.ImportPath, module+arrow.from) {
				continue
			}
			for _, dep := range p.Deps {
				if forbidden(dep, arrow.never) {
					t.Errorf("%s reaches %s", p.ImportPath, dep)
				}
			}
		}
	}
	// What only one package may import itself.
	for _, owner := range []struct{ library, by string }{
		{kongPath, ""}, {progressbarPath, ""}, {"golang.org/x/term", ""}, {"gopkg.in/yaml.v3", "/internal/strictyaml"},
	} {
		for _, p := range packages {
			if slices.Contains(p.Imports, owner.library) && p.ImportPath != module+owner.by {
				t.Errorf("%s imports %s", p.ImportPath, owner.library)
			}
		}
	}
	for _, p := range packages {
		if below(p.ImportPath, module+"/engine") {
			checkNoStdout(t, p)
		}
	}
}

const (
	kongPath        = "github.com/alecthomas/kong"
	progressbarPath = "github.com/schollz/progressbar/v3"
)

// below says that a package is root or stands below it.
func below(path, root string) bool {
	return path == root || strings.HasPrefix(path, root+"/")
}

// forbidden knows packages of this module by their folder; "/" is all of them.
func forbidden(dep, never string) bool {
	switch {
	case never == "/":
		return below(dep, module)
	case strings.HasPrefix(never, "/"):
		return below(dep, module+never)
	}
	return dep == never
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Dir,GoFiles,Imports,Deps", "./...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var packages []goPackage
	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		var p goPackage
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if below(p.ImportPath, module) {
			packages = append(packages, p)
		}
	}
	for _, want := range []string{"", "/config", "/store", "/store/bundle", "/engine", "/engine/fetch", "/engine/registry"} {
		if !slices.ContainsFunc(packages, func(p goPackage) bool { return p.ImportPath == module+want }) {
			t.Errorf("there is no package %s%s", module, want)
		}
	}
	return packages
}

func checkNoStdout(t *testing.T, p goPackage) {
	t.Helper()
	for _, name := range p.GoFiles {
		source, err := os.ReadFile(filepath.Join(p.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"os.Stdout", "os.Stderr", "fmt.Print(", "fmt.Printf(", "fmt.Println("} {
			if bytes.Contains(source, []byte(word)) {
				t.Errorf("%s/%s has %s", p.ImportPath, name, word)
			}
		}
	}
}
