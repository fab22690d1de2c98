package chart

import (
	"errors"
	"strings"
	"unicode"

	"github.com/Masterminds/semver/v3"
)

// Metadata is Chart.yaml. Its keys have the order and the form that helm gives them in the
// config of a chart in a registry.
type Metadata struct {
	Name         string            `json:"name,omitempty" yaml:"name"`
	Home         string            `json:"home,omitempty" yaml:"home"`
	Sources      []string          `json:"sources,omitempty" yaml:"sources"`
	Version      string            `json:"version,omitempty" yaml:"version"`
	Description  string            `json:"description,omitempty" yaml:"description"`
	Keywords     []string          `json:"keywords,omitempty" yaml:"keywords"`
	Maintainers  []*Maintainer     `json:"maintainers,omitempty" yaml:"maintainers"`
	Icon         string            `json:"icon,omitempty" yaml:"icon"`
	APIVersion   string            `json:"apiVersion,omitempty" yaml:"apiVersion"`
	Condition    string            `json:"condition,omitempty" yaml:"condition"`
	Tags         string            `json:"tags,omitempty" yaml:"tags"`
	AppVersion   string            `json:"appVersion,omitempty" yaml:"appVersion"`
	Deprecated   bool              `json:"deprecated,omitempty" yaml:"deprecated"`
	Annotations  map[string]string `json:"annotations,omitempty" yaml:"annotations"`
	KubeVersion  string            `json:"kubeVersion,omitempty" yaml:"kubeVersion"`
	Dependencies []*Dependency     `json:"dependencies,omitempty" yaml:"dependencies"`
	Type         string            `json:"type,omitempty" yaml:"type"`
}

// Maintainer is a maintainer of a chart.
type Maintainer struct {
	Name  string `json:"name,omitempty" yaml:"name"`
	Email string `json:"email,omitempty" yaml:"email"`
	URL   string `json:"url,omitempty" yaml:"url"`
}

// Dependency is a chart that a chart needs.
type Dependency struct {
	Name         string   `json:"name" yaml:"name"`
	Version      string   `json:"version,omitempty" yaml:"version"`
	Repository   string   `json:"repository" yaml:"repository"`
	Condition    string   `json:"condition,omitempty" yaml:"condition"`
	Tags         []string `json:"tags,omitempty" yaml:"tags"`
	Enabled      bool     `json:"enabled,omitempty" yaml:"enabled"`
	ImportValues []any    `json:"import-values,omitempty" yaml:"import-values"`
	Alias        string   `json:"alias,omitempty" yaml:"alias"`
}

// parseMetadata reads Chart.yaml of the chart at a path, with the requirements.yaml beside it.
func parseMetadata(at string, files map[string][]byte) (*Metadata, error) {
	m := new(Metadata)
	where := within(at, metadataFile)
	if err := decode(files[metadataFile], m); err != nil {
		return nil, &FormatError{Where: where, Err: err}
	}
	if m.APIVersion == "" {
		m.APIVersion = "v1"
	}
	if requirements := files[requirementsFile]; requirements != nil {
		if err := decode(requirements, m); err != nil {
			return nil, &FormatError{Where: within(at, requirementsFile), Err: err}
		}
	}
	if at == "" {
		if err := m.check(); err != nil {
			return nil, &FormatError{Where: where, Err: err}
		}
	}
	return m, nil
}

// check makes the texts printable as helm does, and returns what a chart lacks.
func (m *Metadata) check() error {
	texts := []*string{&m.Name, &m.Description, &m.Home, &m.Icon, &m.Condition, &m.Tags, &m.AppVersion, &m.KubeVersion}
	for _, all := range [][]string{m.Sources, m.Keywords} {
		for i := range all {
			texts = append(texts, &all[i])
		}
	}
	for _, p := range m.Maintainers {
		if p == nil {
			return errors.New("an empty maintainer")
		}
		texts = append(texts, &p.Name, &p.Email, &p.URL)
	}
	for _, d := range m.Dependencies {
		if d == nil {
			return errors.New("an empty dependency")
		}
		texts = append(texts, &d.Name, &d.Version, &d.Repository, &d.Condition)
		for i := range d.Tags {
			texts = append(texts, &d.Tags[i])
		}
	}
	for _, text := range texts {
		*text = printable(*text)
	}
	switch _, err := semver.NewVersion(m.Version); {
	case m.Name == "":
		return errors.New("it has no name")
	case strings.ContainsAny(m.Name, `/\`):
		return errors.New("its name has a slash")
	case m.Version == "":
		return errors.New("it has no version")
	case err != nil:
		return errors.New("its version " + m.Version + " is not a semantic version")
	}
	return nil
}

// printable is helm's sanitizeString: a space for each kind of space, and nothing for what is
// not printable.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsPrint(r):
			return r
		}
		return -1
	}, s)
}
