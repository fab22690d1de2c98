package main

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

//go:embed formula.rb
var formulaText string

var formulaTemplate = template.Must(template.New("formula.rb").Parse(formulaText))

// formulaSystem is a system in the formula, with its archives.
type formulaSystem struct {
	Name     string
	Archives []formulaArchive
}

// formulaArchive is an archive of the release in the formula.
type formulaArchive struct{ CPU, URL, Sum string }

// brewSystems and brewCPUs are the names that Homebrew has for those of Go, in the order of
// the formula.
var (
	brewSystems = []struct{ goos, name string }{{"darwin", "macos"}, {"linux", "linux"}}
	brewCPUs    = []struct{ goarch, name string }{{"arm64", "arm"}, {"amd64", "intel"}}
)

// writeFormula writes a formula for Homebrew with the checksums of the archives in the output.
func (r *release) writeFormula() error {
	var systems []formulaSystem
	for _, system := range brewSystems {
		s := formulaSystem{Name: system.name}
		for _, cpu := range brewCPUs {
			name := r.base(system.goos, cpu.goarch) + ".tar.gz"
			content, err := os.ReadFile(filepath.Join(r.output, name))
			if errors.Is(err, fs.ErrNotExist) {
				continue // not built
			}
			if err != nil {
				return err
			}
			url := homepage + "/releases/download/" + r.version + "/" + name
			s.Archives = append(s.Archives, formulaArchive{cpu.name, url, fmt.Sprintf("%x", sha256.Sum256(content))})
		}
		if len(s.Archives) > 0 {
			systems = append(systems, s)
		}
	}
	if len(systems) == 0 {
		return nil // no platform of Homebrew
	}
	var text bytes.Buffer
	err := formulaTemplate.Execute(&text, map[string]any{
		"Description": summary, "Homepage": homepage, "Tag": r.version,
		"Version": strings.TrimPrefix(r.version, "v"), "Systems": systems,
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.output, program+".rb"), text.Bytes(), 0o644)
}
