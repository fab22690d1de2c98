package config

import "github.com/opencontainers/go-digest"

// Selection is one thing to mirror, ready for the engine.
type Selection struct {
	Reference       Reference        // an artifact, or a repository
	Registry        string           // a whole registry instead, through its catalog; Reference is zero then
	Repositories    RepositoryFilter // which of the registry's repositories; the zero value means all
	Tags            Tags             // which tags of each repository; the zero value means all
	Layout          string           // a local OCI layout instead; Reference is then the repository that names bare tags, if any
	Platforms       []Platform       // sorted, without repeats; nil means all
	Referrers       bool             // signatures, SBOMs and the like come along
	ReferrerTypes   []string         // globs of the artifact types that do; nil means all, see WantsReferrer
	ReferrerDigests []digest.Digest  // of a lock: these come along and no others; nil leaves it open
	Locked          bool             // by a lock: of what it refers to itself nothing comes along but the Subjects
	Subjects        []digest.Digest  // of a lock
	Optional        bool             // it is no error if nothing is selected
	Origin          string           // where it was asked for: "mirror.yaml:12", "images.txt:3", "argument 1"
}

// each returns base once for every reference.
func each(references []Reference, base Selection) []Selection {
	all := make([]Selection, len(references))
	for i, r := range references {
		all[i] = base
		all[i].Reference = r
	}
	return all
}
