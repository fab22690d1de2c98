package config

import (
	"path/filepath"
	"slices"
	"time"
)

// Files are the files and directories that a spec names.
type Files struct{ Lists, Layouts, Manifests, Values, Certificates, Trust []string }

// Files returns the files that the spec reads when it is used. It omits a path that cannot be
// expanded.
func (s *Spec) Files() Files {
	var f Files
	if s == nil {
		return f
	}
	add := func(paths *[]string, path string) {
		if resolved, err := s.path(path, time.Now()); path != "" && err == nil {
			*paths = append(*paths, resolved)
		}
	}
	for _, source := range s.Sources {
		add(&f.Lists, source.List)
		add(&f.Layouts, source.Layout)
		if len(f.Layouts) > 0 {
			parts, _ := filepath.Glob(f.Layouts[len(f.Layouts)-1]) // which the run reports
			f.Layouts = append(f.Layouts, parts...)
		}
		for _, glob := range source.Kubernetes {
			files, _ := s.glob(glob) // which the run reports
			f.Manifests = append(f.Manifests, files...)
		}
		for _, path := range source.Values {
			add(&f.Values, path)
		}
	}
	for _, r := range s.Registries {
		for _, path := range []string{r.CAFile, r.CertFile, r.KeyFile} {
			add(&f.Certificates, path)
		}
	}
	for _, b := range s.Buckets {
		add(&f.Certificates, b.CAFile)
	}
	policies, _ := s.ResolvePolicies() // which the run reports
	for _, p := range policies {
		f.Trust = append(f.Trust, p.files()...)
	}
	return f
}

// files lists the files of a policy whose paths are expanded.
func (p Policy) files() []string {
	var all []string
	if p.Cosign != nil {
		all = append(p.Cosign.Keys, p.Cosign.TrustedRoot)
	}
	if p.Notation != nil {
		all = append(all, p.Notation.TrustPolicy)
	}
	return slices.DeleteFunc(all, func(path string) bool { return path == "" })
}
