package lockfile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// Repository is a source repository with the size of all of its artifacts.
type Repository struct {
	Repository config.Reference `yaml:"repository"` // without a tag and a digest; unique in the lock
	Size       int64            `yaml:"size"`       // bytes of its artifacts, each manifest and blob counted once
}

func checkRepositories(o strictyaml.Object, all []Repository) {
	o.NotEmpty("repositories")
	seen := make(map[string]int)
	for i, r := range all {
		name := r.Repository.Name()
		if first, ok := seen[name]; ok && r.Repository != (config.Reference{}) {
			o.Fault(strictyaml.Element("repositories", i), fmt.Sprintf("%s is already in repositories[%d]", name, first))
			continue
		}
		seen[name] = i
	}
}

// Check reports the faults of the repository while it is decoded.
func (r *Repository) Check(o strictyaml.Object) {
	for _, key := range []string{"repository", "size"} {
		o.Require(key)
	}
	if key, reason := r.fault(); reason != "" && o.Valid(key) {
		o.Fault(key, reason)
	}
}

// fault returns the key with a fault, and the reason; "" if there is none.
func (r *Repository) fault() (key, reason string) {
	switch {
	case !r.Repository.IsRepository():
		return "repository", fmt.Sprintf("%q names an artifact, not a repository", r.Repository)
	case r.Size < 1:
		return "size", fmt.Sprintf("must be at least 1, got %d", r.Size)
	}
	return "", ""
}

func writableRepositories(all []Repository) error {
	seen := make(map[string]bool, len(all))
	for i := range all {
		r := &all[i]
		name := r.Repository.Name()
		if parsed, err := config.ParseReference(name); err != nil || parsed != r.Repository {
			return fmt.Errorf("%s: invalid repository", name)
		}
		if key, reason := r.fault(); reason != "" {
			return fmt.Errorf("%s: %s: %s", name, key, reason)
		}
		if seen[name] {
			return fmt.Errorf("%s: locked twice", name)
		}
		seen[name] = true
	}
	return nil
}

// repositoriesKey is the line before the repositories.
const repositoriesKey = "repositories:\n"

func (r *Repository) appendLine(b []byte) []byte {
	b = append(b, "  - {repository: "...)
	b = appendScalar(b, r.Repository.Name())
	b = append(b, ", size: "...)
	b = strconv.AppendInt(b, r.Size, 10)
	return append(b, "}\n"...)
}

// scanRepository reads the values of a line, like scanArtifact.
func scanRepository(line string) (r Repository, ok bool) {
	s := scan{rest: line}
	name, err := config.ParseReference(s.scalar("  - {repository: "))
	if err != nil {
		return r, false
	}
	r.Repository = name
	r.Size, err = strconv.ParseInt(s.scalar(", size: "), 10, 64)
	return r, err == nil && s.rest == "}\n"
}

func sortedRepositories(all []Repository) []Repository {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b Repository) int {
		return strings.Compare(a.Repository.Name(), b.Repository.Name())
	})
	return sorted
}
