package config

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config/internal/grammar"
	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// LockKind is the kind of a lock. Its apiVersion is [APIVersion].
const LockKind = "MirrorLock"

// Lock pins the artifacts that a spec selects, and their content. Its file is kept beside the
// spec and reviewed with it. A lock that was loaded is sorted by reference.
type Lock struct {
	Artifacts    []LockedArtifact
	Pending      []PendingArtifact  // tags that are too new; nil without minAge in the spec
	Repositories []LockedRepository // sizes that balance shards; nil without "lock --shards"
}

// LockedRepository is a source repository with the size of all of its artifacts.
type LockedRepository struct {
	Repository Reference `yaml:"repository"` // without a tag and a digest; unique in the lock
	Size       int64     `yaml:"size"`       // bytes of its artifacts, each manifest and blob counted once
}

// LockedArtifact is an artifact at the time when the lock was written.
type LockedArtifact struct {
	Reference Reference       `yaml:"reference"` // an artifact; its EntryName is unique in the lock
	Digest    digest.Digest   `yaml:"digest"`
	MediaType string          `yaml:"mediaType"`
	Size      int64           `yaml:"size"`      // bytes of the selected graph, each blob counted once
	Platforms []Platform      `yaml:"platforms"` // selected platforms; nil means all
	Referrers []digest.Digest `yaml:"referrers"` // selected referrers of the whole graph
	Subjects  []digest.Digest `yaml:"subjects"`  // subjects of manifests in the graph, those that exist
	SignedBy  []string        `yaml:"signedBy"`  // the signers that a policy accepted; nil if no policy asked
	From      string          `yaml:"from"`      // where the reference was found, for readers: "deploy/web.yaml:12"; "" if the spec has it
	Repo      string          `yaml:"repo"`      // URL of the Helm repository of a chart; "" for an artifact of a registry
}

// LockPath returns the path of the lock of a spec: mirror.lock.yaml for mirror.yaml.
func LockPath(spec string) string {
	for _, extension := range []string{".yaml", ".yml"} {
		if base, ok := strings.CutSuffix(spec, extension); ok {
			spec = base
			break
		}
	}
	return spec + ".lock.yaml"
}

// LoadLock reads the lock in a file. Its error is a [*LoadError] with every fault, like that
// of [Load].
func LoadLock(path string) (*Lock, error) {
	data, err := lockFormat.read(path)
	if err != nil {
		return nil, err
	}
	return ParseLock(path, data)
}

// ParseLock reads a lock from memory. The name stands for the file in messages.
func ParseLock(name string, data []byte) (*Lock, error) {
	if lock, ok := scanLock(data); ok {
		return lock.sorted(), nil
	}
	var file lockFile
	if _, err := lockFormat.decode(name, data, &file); err != nil {
		return nil, err
	}
	return (&Lock{Artifacts: file.Artifacts, Pending: file.Pending, Repositories: file.Repositories}).sorted(), nil
}

// Selections returns the artifacts of the lock, each with its digest and its referrers and
// nothing else. The origin names the lock in messages.
func (l *Lock) Selections(origin string) []Selection {
	all := make([]Selection, len(l.Artifacts))
	for i, a := range l.Artifacts {
		all[i] = Selection{
			Reference:       a.Reference,
			Platforms:       DistinctPlatforms(a.Platforms),
			Referrers:       len(a.Referrers) > 0,
			ReferrerDigests: a.Referrers,
			Locked:          true,
			Subjects:        a.Subjects,
			From:            a.From,
			Origin:          origin,
		}
		all[i].Reference.Digest = a.Digest
		if a.Repo != "" {
			all[i].Chart = &Chart{Repository: a.Repo, Name: path.Base(a.Reference.Repository)}
		}
	}
	return all
}

// lockFile is a lock with its apiVersion and kind.
type lockFile struct {
	APIVersion   string             `yaml:"apiVersion"`
	Kind         string             `yaml:"kind"`
	Artifacts    []LockedArtifact   `yaml:"artifacts"`
	Pending      []PendingArtifact  `yaml:"pending"`
	Repositories []LockedRepository `yaml:"repositories"`
}

// Check reports the faults of the lock while it is decoded.
func (f *lockFile) Check(o strictyaml.Object) {
	o.Constant("apiVersion", f.APIVersion, APIVersion)
	o.Constant("kind", f.Kind, LockKind)
	o.Require("artifacts")
	seen := make(map[string]int)
	for i, a := range f.Artifacts {
		name := a.Reference.EntryName()
		if first, ok := seen[name]; ok && a.Reference != (Reference{}) {
			at := strictyaml.Element("artifacts", first)
			o.Fault(strictyaml.Element("artifacts", i), fmt.Sprintf("%s is already locked by %s on line %d", name, at, o.Position(at).Line))
			continue
		}
		seen[name] = i
	}
	f.checkPending(o)
	f.checkRepositories(o)
}

func (f *lockFile) checkRepositories(o strictyaml.Object) {
	o.NotEmpty("repositories")
	seen := make(map[string]int)
	for i, r := range f.Repositories {
		name := r.Repository.Name()
		if first, ok := seen[name]; ok && r.Repository != (Reference{}) {
			o.Fault(strictyaml.Element("repositories", i), fmt.Sprintf("%s is already in repositories[%d]", name, first))
			continue
		}
		seen[name] = i
	}
}

// Check reports the faults of the repository while it is decoded.
func (r *LockedRepository) Check(o strictyaml.Object) {
	for _, key := range []string{"repository", "size"} {
		o.Require(key)
	}
	if key, reason := r.fault(); reason != "" && o.Valid(key) {
		o.Fault(key, reason)
	}
}

// fault returns the key with a fault, and the reason; "" if there is none.
func (r *LockedRepository) fault() (key, reason string) {
	switch {
	case !r.Repository.IsRepository():
		return "repository", fmt.Sprintf("%q names an artifact, not a repository", r.Repository)
	case r.Size < 1:
		return "size", fmt.Sprintf("must be at least 1, got %d", r.Size)
	}
	return "", ""
}

// Check reports the faults of the artifact while it is decoded.
func (a *LockedArtifact) Check(o strictyaml.Object) {
	for _, key := range []string{"reference", "digest", "mediaType", "size"} {
		o.Require(key)
	}
	checkPlatforms(o, a.Platforms)
	o.NotEmpty("referrers")
	o.NotEmpty("subjects")
	o.NotEmpty("signedBy")
	a.faults(func(key, at, reason string) {
		if o.Valid(key) {
			o.Fault(at, reason)
		}
	})
}

// faults reports the faults of each key, and the path of the value within it.
func (a *LockedArtifact) faults(fault func(key, at, reason string)) {
	check := func(key, at, reason string) {
		if reason != "" {
			fault(key, at, reason)
		}
	}
	check("reference", "reference", a.referenceFault())
	check("digest", "digest", grammar.DigestFault(a.Digest.String()))
	check("mediaType", "mediaType", mediaTypeFault(a.MediaType))
	if a.Size < 1 {
		check("size", "size", fmt.Sprintf("must be at least 1, got %d", a.Size))
	}
	for i, d := range a.Referrers {
		check("referrers", strictyaml.Element("referrers", i), grammar.DigestFault(d.String()))
	}
	for i, signer := range a.SignedBy {
		if signer == "" || !utf8.ValidString(signer) {
			check("signedBy", strictyaml.Element("signedBy", i), fmt.Sprintf("invalid signer %q", signer))
		}
	}
	if !utf8.ValidString(a.From) {
		check("from", "from", "not UTF-8")
	}
	if a.Repo != "" {
		_, reason := parseRepo(a.Repo)
		check("repo", "repo", reason)
		if reason == "" && a.Reference.Tag == "" {
			check("repo", "repo", "a chart of a Helm repository has a tag")
		}
	}
	for i, d := range a.Subjects {
		check("subjects", strictyaml.Element("subjects", i), grammar.DigestFault(d.String()))
	}
}

func (a *LockedArtifact) referenceFault() string {
	r := a.Reference
	switch {
	case r.IsRepository():
		return fmt.Sprintf("%q names a repository, not an artifact", r)
	case r.Digest != "" && r.Digest != a.Digest:
		return fmt.Sprintf("the digest in %q differs from that of the artifact", r)
	}
	return ""
}

func mediaTypeFault(s string) string {
	if s == "" || !utf8.ValidString(s) {
		return fmt.Sprintf("invalid media type %q", s)
	}
	return ""
}

// sorted returns a copy that is sorted by reference and by repository.
func (l *Lock) sorted() *Lock {
	return &Lock{Artifacts: sortedArtifacts(l.Artifacts), Pending: sortedPending(l.Pending), Repositories: sortedRepositories(l.Repositories)}
}

func sortedRepositories(all []LockedRepository) []LockedRepository {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b LockedRepository) int {
		return strings.Compare(a.Repository.Name(), b.Repository.Name())
	})
	return sorted
}

// sortedArtifacts returns a copy that is sorted by reference, with sorted lists without
// duplicates.
func sortedArtifacts(artifacts []LockedArtifact) []LockedArtifact {
	sorted := slices.Clone(artifacts)
	for i := range sorted {
		a := &sorted[i]
		a.Platforms = DistinctPlatforms(a.Platforms)
		a.Referrers = slices.Compact(slices.Sorted(slices.Values(a.Referrers)))
		a.Subjects = slices.Compact(slices.Sorted(slices.Values(a.Subjects)))
		a.SignedBy = slices.Compact(slices.Sorted(slices.Values(a.SignedBy)))
	}
	slices.SortFunc(sorted, func(a, b LockedArtifact) int {
		return strings.Compare(a.Reference.String(), b.Reference.String())
	})
	return sorted
}
