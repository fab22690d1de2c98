// Package lockfile reads and writes locks: the digests that a spec selected when the lock was
// written. A backup by a lock copies exactly those artifacts.
//
// [Load] and [Parse] read a lock, [Lock.WriteTo] writes one, and [Lock.Selections] returns its
// artifacts in the terms of a spec. The package resolves no reference: it holds what its callers
// found.
package lockfile

import (
	"path"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
)

// Kind is the kind of a lock. Its apiVersion is [config.APIVersion].
const Kind = "MirrorLock"

// Lock pins the artifacts that a spec selects, and their content. Its file is kept beside the
// spec and reviewed with it. A lock that was loaded is sorted by reference.
type Lock struct {
	Artifacts    []Artifact
	Pending      []Pending    // tags that are too new; nil without minAge in the spec
	Repositories []Repository // sizes that balance shards; nil without "lock --shards"
}

// Path returns the path of the lock of a spec: mirror.lock.yaml for mirror.yaml.
func Path(spec string) string {
	for _, extension := range []string{".yaml", ".yml"} {
		if base, ok := strings.CutSuffix(spec, extension); ok {
			spec = base
			break
		}
	}
	return spec + ".lock.yaml"
}

// Selections returns the artifacts of the lock, each with its digest and its referrers and
// nothing else. The origin names the lock in messages.
func (l *Lock) Selections(origin string) []config.Selection {
	all := make([]config.Selection, len(l.Artifacts))
	for i, a := range l.Artifacts {
		all[i] = config.Selection{
			Reference:       a.Reference,
			Platforms:       config.DistinctPlatforms(a.Platforms),
			Referrers:       len(a.Referrers) > 0,
			ReferrerDigests: a.Referrers,
			Locked:          true,
			Subjects:        a.Subjects,
			From:            a.From,
			Origin:          origin,
		}
		all[i].Reference.Digest = a.Digest
		if a.Repo != "" {
			all[i].Chart = &config.Chart{Repository: a.Repo, Name: path.Base(a.Reference.Repository)}
		}
	}
	return all
}

// sorted returns a copy that is sorted by reference and by repository.
func (l *Lock) sorted() *Lock {
	return &Lock{Artifacts: sortedArtifacts(l.Artifacts), Pending: sortedPending(l.Pending), Repositories: sortedRepositories(l.Repositories)}
}
