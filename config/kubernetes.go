package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"
)

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
