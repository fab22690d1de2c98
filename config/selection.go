package config

import (
	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config/filter"
)

// Selection is an artifact, a repository, a registry or a layout to mirror.
type Selection struct {
	Reference       Reference           // an artifact, or a repository
	Registry        string              // a whole registry by its catalog; Reference is zero then
	Repositories    filter.Repositories // filters the repositories of Registry; the zero value selects all
	Tags            filter.Tags         // selects tags of each repository; the zero value selects all
	Layout          string              // path of a local OCI layout; Reference is then the repository of its bare tags, if any
	Chart           *Chart              // the Reference is a Helm chart; nil: it may be anything
	Platforms       []Platform          // sorted, without duplicates; nil means all
	Referrers       bool                // includes signatures, SBOMs and other referrers
	ReferrerTypes   []string            // globs of their artifact types; nil means all, see WantsReferrer
	ReferrerDigests []digest.Digest     // of a lock: exactly these referrers; nil means no such limit
	Locked          bool                // by a lock: includes no subjects but Subjects
	Subjects        []digest.Digest     // of a lock: subjects that its manifests refer to
	Optional        bool                // allows that nothing is found
	Origin          string              // for messages: "mirror.yaml:12", "images.txt:3", "argument 1"
	From            string              // for plans and locks, if the selection was found: "deploy/web.yaml:12"; else ""
}

// Chart is the part of a selection that is about a Helm chart. With a tag in its Reference the
// selection is that version and nothing else; without one the planner finds the version, and adds
// the images.
type Chart struct {
	Repository string   // URL of a Helm repository, without a slash at the end; "": the chart is in a registry
	Name       string   // in the Helm repository
	Version    string   // a constraint; "" means the newest
	Images     bool     // adds the images that the chart names
	Values     []string // paths of files to render the chart with, in addition to its own; nil: it is not rendered
}

// each returns a copy of base for every reference.
func each(references []Reference, base Selection) []Selection {
	all := make([]Selection, len(references))
	for i, r := range references {
		all[i] = base
		all[i].Reference = r
	}
	return all
}
