package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/discover"
	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// Manifests holds the images that Kubernetes manifests name.
type Manifests struct {
	Origin  string // of the source, for messages: "mirror.yaml:5"; "" without one
	Files   int
	Images  []Image // each reference once, in the order of the files
	Skipped []discover.Skipped
}

// Image is an image of manifests.
type Image struct {
	Reference Reference
	Places    []discover.Place // at least one
}

// FindImages finds the images in manifests. A path is a file or a folder, whose manifests are
// found at any depth; "-" is read from stdin. Its error is a [*LoadError] with every fault.
func FindImages(paths []string, stdin func(maximum int64) ([]byte, error)) (*Manifests, error) {
	var m manifestReader
	for _, p := range paths {
		if p == "-" {
			m.add(manifestFile{name: "standard input", read: stdin})
			continue
		}
		files, err := filesAt("", p)
		if err == nil && len(files) == 0 {
			err = errors.New("no .yaml, .yml or .json file in the folder")
		}
		if err != nil {
			m.faults = append(m.faults, newFault(p, strictyaml.Position{}, "", withoutPath(err)))
		}
		for _, name := range files {
			m.add(manifestFile{name: name})
		}
	}
	found := m.find()
	return found, loadError(m.faults)
}

// FindRendered finds the images in manifests that were made of a chart. The name stands for a
// file in messages.
func FindRendered(name string, data []byte) (*Manifests, error) {
	var m manifestReader
	m.add(manifestFile{name: name, read: func(int64) ([]byte, error) { return data, nil }})
	found := m.find()
	return found, loadError(m.faults)
}

// manifests reads the manifests of a source, and selects their images.
func (s *Spec) manifests(at string, source Source, base Selection) (*Manifests, []Selection, []Fault) {
	var m manifestReader
	at += ".kubernetes"
	for i, glob := range source.Kubernetes {
		at := globAt(at, i, source.Kubernetes)
		files, err := s.glob(glob)
		if err == nil && len(files) == 0 {
			err = &noFileError{glob}
		}
		if err != nil && !(source.Optional && errors.Is(err, fs.ErrNotExist)) {
			m.faults = append(m.faults, s.fault(at, err))
		}
		for _, name := range files {
			m.add(manifestFile{name: name})
		}
	}
	found := m.find()
	found.Origin = base.Origin
	if len(m.faults) == 0 && len(found.Images) == 0 && !source.Optional {
		m.faults = append(m.faults, s.fault(at, fmt.Errorf("no image in %s", countFiles(found.Files))))
	}
	return found, found.selections(base, s.withoutFolder), m.faults
}

// noFileError reports a pattern that matches no file.
type noFileError struct{ glob string }

func (e *noFileError) Error() string { return "no file matches " + e.glob }

// Is makes errors.Is(err, fs.ErrNotExist) true, as for a path without a file.
func (e *noFileError) Is(err error) bool { return err == fs.ErrNotExist }

func countFiles(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}

// glob returns the files that a pattern of the spec matches, with the folder of the spec.
func (s *Spec) glob(pattern string) ([]string, error) {
	expanded, err := expand(pattern, time.Now())
	if err != nil {
		return nil, err
	}
	if expanded == "" {
		return nil, fmt.Errorf("%s expands to an empty path", pattern)
	}
	files, err := matchFiles(filepath.Dir(s.file), expanded)
	for i, name := range files {
		files[i] = filepath.ToSlash(beside(filepath.Dir(s.file), name))
	}
	return files, err
}

// withoutFolder returns the path of a file relative to the folder of the spec, so that a lock
// does not depend on the folder in which it is made.
func (s *Spec) withoutFolder(name string) string {
	short, err := filepath.Rel(filepath.Dir(s.file), filepath.FromSlash(name))
	if err != nil {
		return name
	}
	return filepath.ToSlash(short)
}

// selections returns a copy of base for each image.
func (m *Manifests) selections(base Selection, shorten func(string) string) []Selection {
	all := make([]Selection, len(m.Images))
	for i, image := range m.Images {
		at := image.Places[0]
		all[i] = base
		all[i].Reference = image.Reference
		all[i].Origin = fmt.Sprintf("%s:%d", at.File, at.Line)
		all[i].From = strings.ToValidUTF8(fmt.Sprintf("%s:%d", shorten(at.File), at.Line), "?")
	}
	return all
}
